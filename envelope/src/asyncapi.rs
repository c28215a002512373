//! The catalogue as an AsyncAPI 3.0 document.

use serde_json::{Map, Value, json};

use crate::{CATALOGUE, Contract, MAX_EVENT_BYTES, Stream, schemas};

/// The document, to be served as JSON.
pub fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dipper events",
            "version": "1.0.0",
            "description": "Ticks, ratings, scores and what follows from them. Within a major version every consumer reads every event; \
    a consumer ignores fields that it does not know.",
            "license": {"name": "Apache-2.0 OR MIT"}
        },
        "defaultContentType": "application/json",
        "channels": channels(),
        "operations": operations(),
        "components": {"messages": messages(), "parameters": {"key": {"description": "The id whose events keep their order: a UUID in lower case."}}}
    })
}

/// The document as text, the same in every build.
pub fn text() -> String {
    schemas::pretty(&document())
}

/// The name of a channel: one per event and major.
fn channel_id(contract: &Contract) -> String {
    format!("{}.v{}", contract.name(), contract.version.major)
}

/// The name of a message: one per event and version.
fn message_id(contract: &Contract) -> String {
    format!("{}.v{}", contract.name(), contract.version)
}

fn reference(path: &str) -> Value {
    json!({"$ref": format!("#/{path}")})
}

fn channels() -> Map<String, Value> {
    let mut channels = Map::new();
    for contract in CATALOGUE {
        let channel = channel_id(contract);
        let address = format!("{channel}.{{key}}");
        let entry = channels.entry(channel).or_insert_with(|| {
            json!({
                "address": address,
                "title": format!("{} {}", contract.name(), contract.version.major),
                "description": format!("{} The key is {}.", contract.intent, contract.key),
                "messages": {},
                "parameters": {"key": reference("components/parameters/key")},
                "x-stream": stream(contract.stream)
            })
        });
        let message = message_id(contract);
        let target = reference(&format!("components/messages/{message}"));
        if let Some(messages) = entry.get_mut("messages").and_then(Value::as_object_mut) {
            messages.insert(message, target);
        }
    }
    channels
}

fn stream(stream: &Stream) -> Value {
    let days = stream.retention.map(|kept| kept.as_secs() / (24 * 60 * 60));
    json!({"name": stream.name, "description": stream.description, "retentionDays": days, "personal": stream.personal})
}

/// Who sends and who receives what, one operation per service, event and major.
fn operations() -> Map<String, Value> {
    let mut operations = Map::new();
    for contract in CATALOGUE {
        let producer = contract.producer.service.trim_start_matches("services/");
        let producer = if producer == "*" {
            "every-service"
        } else {
            producer
        };
        add(
            &mut operations,
            contract,
            ("send", producer, contract.producer.trigger),
        );
        for consumer in contract.consumers {
            add(
                &mut operations,
                contract,
                ("receive", consumer.service, consumer.why),
            );
        }
    }
    operations
}

fn add(operations: &mut Map<String, Value>, contract: &Contract, part: (&str, &str, &str)) {
    let (action, service, why) = part;
    let channel = channel_id(contract);
    let message = reference(&format!(
        "channels/{channel}/messages/{}",
        message_id(contract)
    ));
    let operation = operations
        .entry(format!("{service}.{action}.{channel}"))
        .or_insert_with(|| {
            json!({
                "action": action,
                "channel": reference(&format!("channels/{channel}")),
                "title": format!("{service} {action}s {}", contract.name()),
                "summary": why,
                "messages": []
            })
        });
    if let Some(messages) = operation.get_mut("messages").and_then(Value::as_array_mut) {
        messages.push(message);
    }
}

fn messages() -> Map<String, Value> {
    CATALOGUE
        .iter()
        .map(|contract| (message_id(contract), message(contract)))
        .collect()
}

fn message(contract: &Contract) -> Value {
    let personal: Vec<Value> = contract
        .personal
        .iter()
        .map(|personal| json!({"pointer": format!("/data{}", personal.pointer), "whose": personal.whose.as_str()}))
        .collect();
    json!({
        "name": contract.name(),
        "title": format!("{} {}", contract.name(), contract.version),
        "summary": contract.intent,
        "contentType": "application/json",
        "headers": headers(),
        "payload": payload(contract),
        "correlationId": {"location": "$message.payload#/metadata/correlationid"},
        "examples": [{"name": "sample", "payload": (contract.sample)()}],
        "x-schema": schemas::id(contract),
        "x-personal-data": personal,
        "x-erasure": contract.erasure,
        "x-max-bytes": MAX_EVENT_BYTES
    })
}

fn headers() -> Value {
    json!({
        "type": "object",
        "properties": {
            "Nats-Msg-Id": {"type": "string", "description": "The event's id and its major version: <id>:v<major>. The broker drops repetitions."}
        }
    })
}

/// The schema without the keywords that name its dialect: AsyncAPI has its own, and ours uses what both share.
fn payload(contract: &Contract) -> Value {
    let mut schema = schemas::envelope(contract);
    if let Some(object) = schema.as_object_mut() {
        for keyword in ["$schema", "$id", "examples"] {
            object.remove(keyword);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in the document.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(
                    object
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > CATALOGUE.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_event_version_is_a_message_of_its_majors_channel() {
        let document = document();
        for contract in CATALOGUE {
            let channel = &document["channels"][channel_id(contract)];
            assert!(
                channel["messages"][message_id(contract)].is_object(),
                "{}",
                contract.name()
            );
        }
        assert_eq!(
            document["channels"]["rate.update.v1"]["address"],
            "rate.update.v1.{key}"
        );
    }

    #[test]
    fn every_reader_and_every_sender_is_an_operation() {
        let document = document();
        let operation = &document["operations"]["notifier.receive.rate.update.v2"];
        assert_eq!(operation["action"], "receive");
        assert_eq!(
            document["operations"]["TickAPI.send.tick.new.v1"]["messages"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
        assert!(document["operations"]["score-model.receive.rate.update.v1"].is_null());
    }
}
