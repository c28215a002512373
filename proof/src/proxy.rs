//! A proxy before processes that stand beside each other. Whom it cannot connect to it leaves out, and nothing else is ever
//! tried again: what a process has taken, it has to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};

/// Begins to listen before processes at these addresses, in turns: its own address.
pub async fn before(processes: Vec<String>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (processes, turn) = (Arc::new(processes), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(carry(client, Arc::clone(&processes), first));
        }
    });
    Ok(address)
}

async fn carry(mut client: TcpStream, processes: Arc<Vec<String>>, first: usize) {
    let in_turn = processes
        .iter()
        .cycle()
        .skip(first % processes.len().max(1));
    for process in in_turn.take(processes.len()) {
        let Ok(mut server) = TcpStream::connect(process).await else {
            continue;
        };
        let quick = client.set_nodelay(true).and(server.set_nodelay(true));
        if quick.is_ok() {
            // However it ends, its client is told by the end of its own connection.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
        return;
    }
}
