//! Streamed bodies in both directions.

use std::time::{Duration, Instant};

use reqwest::Method;
use testkit::{App, send};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{TIMEOUT, builder, guest, logged};

/// Sends a request on a plain connection, to see the bytes as they arrive.
async fn open(app: &App, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address())
        .await
        .expect("devhost accepts connections");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("devhost reads");
    stream
}

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while !read.contains(text) {
            let length = stream.read(&mut buffer).await.expect("devhost sends");
            assert_ne!(length, 0, "the connection ended after {read:?}");
            read.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    };
    let in_time = tokio::time::timeout(TIMEOUT, reading).await;
    assert!(in_time.is_ok(), "there was no {text:?} in {read:?}");
    read
}

#[tokio::test]
async fn chunks_reach_the_client_one_by_one() {
    let app = guest().await;
    let start = Instant::now();
    let request = "GET /stream?chunks=3&ms=1000 HTTP/1.1\r\nhost: guest\r\n\r\n";
    let mut stream = open(app, request).await;
    read_until(&mut stream, "data: 0").await;
    assert!(start.elapsed() < Duration::from_millis(900));
    read_until(&mut stream, "data: 2").await;
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn the_guest_reads_and_answers_piece_by_piece() {
    let head = "POST /echo HTTP/1.1\r\nhost: guest\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = open(guest().await, head).await;
    for piece in ["first", "other"] {
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        stream
            .write_all(chunk.as_bytes())
            .await
            .expect("devhost reads");
        read_until(&mut stream, piece).await;
    }
}

#[tokio::test]
async fn a_large_body_is_echoed_completely() {
    let body = "0123456789".repeat(500_000);
    let request = guest().await.request(Method::POST, "/echo");
    let response = send(request.body(body.clone())).await;
    assert!(response.bytes() == body.as_bytes());
}

#[tokio::test]
async fn the_guest_notices_that_the_client_has_left() {
    let app = builder().spawn().await;
    let request = "GET /feed?chunks=100000&ms=20 HTTP/1.1\r\nhost: guest\r\n\r\n";
    let mut stream = open(&app, request).await;
    read_until(&mut stream, "data: 3").await;
    drop(stream);
    logged(&app, "the client left a stream of 100000").await;
}
