//! The commands of a client, parsed from their lines.

use super::{ADDRESS_LIMIT, SIZE_LIMIT};

/// The answer to a line that is no valid command.
pub(super) type Refusal = &'static str;

const UNKNOWN: Refusal = "500 5.5.2 command not known";
const BAD_ARGUMENT: Refusal = "501 5.5.4 argument not understood";
const BAD_ADDRESS: Refusal = "501 5.1.3 address not understood";
const BAD_PARAMETER: Refusal = "555 5.5.4 parameter not known";
const TOO_LARGE: Refusal = "552 5.3.4 the mail is too large";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo,
    Helo,
    Mail { sender: String },
    Rcpt { recipient: String },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
}

impl Command {
    /// Parses a line with or without its line end.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let line = str::from_utf8(line).map_err(|_| UNKNOWN)?.trim_ascii_end();
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_ascii();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => greeted(argument, Self::Ehlo),
            "HELO" => greeted(argument, Self::Helo),
            "MAIL" => mail(argument),
            "RCPT" => rcpt(argument),
            "DATA" => bare(argument, Self::Data),
            "RSET" => bare(argument, Self::Rset),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Vrfy),
            "QUIT" => bare(argument, Self::Quit),
            _ => Err(UNKNOWN),
        }
    }
}

fn greeted(name: &str, command: Command) -> Result<Command, Refusal> {
    if name.is_empty() {
        Err(BAD_ARGUMENT)
    } else {
        Ok(command)
    }
}

fn bare(argument: &str, command: Command) -> Result<Command, Refusal> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(BAD_ARGUMENT)
    }
}

fn mail(argument: &str) -> Result<Command, Refusal> {
    let (sender, parameters) = path(argument, "FROM:")?;
    for parameter in parameters.split_ascii_whitespace() {
        check_parameter(parameter)?;
    }
    Ok(Command::Mail { sender })
}

fn check_parameter(parameter: &str) -> Result<(), Refusal> {
    match parameter.to_ascii_uppercase().split_once('=') {
        Some(("SIZE", size)) => {
            let size: u64 = size.parse().map_err(|_| BAD_ARGUMENT)?;
            if size > SIZE_LIMIT as u64 {
                Err(TOO_LARGE)
            } else {
                Ok(())
            }
        }
        Some(("BODY", "7BIT" | "8BITMIME")) => Ok(()),
        None if parameter.eq_ignore_ascii_case("SMTPUTF8") => Ok(()),
        _ => Err(BAD_PARAMETER),
    }
}

fn rcpt(argument: &str) -> Result<Command, Refusal> {
    let (recipient, parameters) = path(argument, "TO:")?;
    if recipient.is_empty() {
        return Err(BAD_ADDRESS);
    }
    if !parameters.is_empty() {
        return Err(BAD_PARAMETER);
    }
    Ok(Command::Rcpt { recipient })
}

/// Takes `FROM:<address> parameters` apart.
fn path<'a>(argument: &'a str, keyword: &str) -> Result<(String, &'a str), Refusal> {
    let (found, rest) = argument
        .split_at_checked(keyword.len())
        .ok_or(BAD_ARGUMENT)?;
    if !found.eq_ignore_ascii_case(keyword) {
        return Err(BAD_ARGUMENT);
    }
    let rest = rest
        .trim_ascii_start()
        .strip_prefix('<')
        .ok_or(BAD_ADDRESS)?;
    let (address, parameters) = rest
        .split_at_checked(closing_bracket(rest).ok_or(BAD_ADDRESS)?)
        .ok_or(BAD_ADDRESS)?;
    let parameters = parameters.strip_prefix('>').unwrap_or_default();
    // The address goes into a header line of the kept mail: nothing in it may end that line.
    if address.len() > ADDRESS_LIMIT || address.contains(char::is_control) {
        return Err(BAD_ADDRESS);
    }
    if !(parameters.is_empty() || parameters.starts_with(' ')) {
        return Err(BAD_ARGUMENT);
    }
    Ok((address.to_owned(), parameters.trim_ascii()))
}

/// Where the address ends: at the first `>` that is not in a quoted local part.
fn closing_bracket(rest: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, character) in rest.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sender(line: &str) -> Result<String, Refusal> {
        match Command::parse(line.as_bytes())? {
            Command::Mail { sender } => Ok(sender),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_are_known_in_any_case_and_with_either_line_end() {
        assert_eq!(Command::parse(b"eHlo me\r\n"), Ok(Command::Ehlo));
        assert_eq!(Command::parse(b"QUIT\n"), Ok(Command::Quit));
        assert_eq!(Command::parse(b"Rset \r\n"), Ok(Command::Rset));
        assert_eq!(Command::parse(b"NOOP anything"), Ok(Command::Noop));
        assert_eq!(Command::parse(b"\r\n"), Err(UNKNOWN));
        assert_eq!(Command::parse(b"GET / HTTP/1.1\r\n"), Err(UNKNOWN));
        assert_eq!(Command::parse(b"EHLO\r\n"), Err(BAD_ARGUMENT));
        assert_eq!(Command::parse(b"DATA now\r\n"), Err(BAD_ARGUMENT));
        assert_eq!(Command::parse(b"NOOP \xff\r\n"), Err(UNKNOWN));
    }

    #[test]
    fn addresses_may_be_empty_quoted_or_international() {
        assert_eq!(sender("MAIL FROM:<>"), Ok(String::new()));
        assert_eq!(sender("mail from: <a@b>"), Ok("a@b".to_owned()));
        assert_eq!(
            sender(r#"MAIL FROM:<"a>\"b"@c> SIZE=1"#),
            Ok(r#""a>\"b"@c"#.to_owned())
        );
        assert_eq!(
            sender("MAIL FROM:<größe@example.test> SMTPUTF8"),
            Ok("größe@example.test".to_owned())
        );
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for line in [
            "MAIL FROM:a@b",
            "MAIL FROM:<a@b",
            "MAIL FROM:<a\rb@c>",
            "MAIL FROM:<\"a>",
        ] {
            assert_eq!(sender(line), Err(BAD_ADDRESS), "{line}");
        }
        assert_eq!(sender("MAIL FROM:<a@b>SIZE=1"), Err(BAD_ARGUMENT));
        assert_eq!(sender("MAIL FRÖM:<a@b>"), Err(BAD_ARGUMENT));
        assert_eq!(
            sender(&format!("MAIL FROM:<{}>", "a".repeat(ADDRESS_LIMIT + 1))),
            Err(BAD_ADDRESS)
        );
        assert_eq!(Command::parse(b"RCPT TO:<>"), Err(BAD_ADDRESS));
        assert_eq!(
            Command::parse(b"RCPT TO:<a@b> NOTIFY=NEVER"),
            Err(BAD_PARAMETER)
        );
    }

    #[test]
    fn parameters_are_those_of_the_advertised_extensions() {
        assert!(sender("MAIL FROM:<a@b> BODY=8bitmime size=10 SMTPUTF8").is_ok());
        assert_eq!(sender("MAIL FROM:<a@b> SIZE=10485761"), Err(TOO_LARGE));
        assert_eq!(sender("MAIL FROM:<a@b> SIZE=-1"), Err(BAD_ARGUMENT));
        assert_eq!(
            sender("MAIL FROM:<a@b> BODY=BINARYMIME"),
            Err(BAD_PARAMETER)
        );
        assert_eq!(sender("MAIL FROM:<a@b> RET=FULL"), Err(BAD_PARAMETER));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "(MAIL FROM:|RCPT TO:|EHLO )?[<>\"\\\\ =\\PC]{0,60}") {
            let _ = Command::parse(line.as_bytes());
        }
    }
}
