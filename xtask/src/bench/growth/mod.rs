//! `bench --growth`: what a call costs at small and at large sizes of the data.

mod case;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dev_services::{TemporaryDirectory, progress};
use reqwest::{Client, RequestBuilder};

use super::own;
use crate::build;
use case::{CASES, Call, Case, Size};

const SEED: &str = include_str!("seed.sql");
/// How often each call is measured; each sample may need another user.
const SAMPLES: i64 = 41;
/// How often each call is made before it is measured, with users of their own.
const WARM_UP: i64 = 5;
/// The ratio that a case should not exceed.
const LIMIT: f64 = 3.0;

pub async fn run() -> Result<()> {
    build::run()?;
    let home = TemporaryDirectory::create()?;
    let stores = super::start_stores(&home).await?;
    seed(stores.database_url()).await?;
    let service = own::start(&stores).await?;
    let client = Client::new();
    println!("{:<58}{:>11}{:>11}{:>9}", "p50", "small", "large", "ratio");
    for case in CASES {
        let small = p50(&client, &service.url, case, Size::Small).await?;
        let large = p50(&client, &service.url, case, Size::Large).await?;
        print(case, small, large);
    }
    drop(service);
    stores.stop().await
}

async fn seed(database_url: &str) -> Result<()> {
    progress("inserting the data, which takes about a minute");
    let session = dev_services::connect(database_url).await?;
    session.batch_execute(SEED).await.context("the data")?;
    Ok(session.batch_execute("vacuum analyze").await?)
}

fn print(case: &Case, small: Duration, large: Duration) {
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let mark = if ratio > LIMIT { " !" } else { "" };
    println!(
        "{:<58}{:>8.2} ms{:>8.2} ms{ratio:>8.1}x{mark}",
        case.name,
        ms(small),
        ms(large)
    );
}

async fn p50(client: &Client, url: &str, case: &Case, size: Size) -> Result<Duration> {
    let mut samples = Vec::new();
    for sample in 1..=WARM_UP + SAMPLES {
        if let Some(prepare) = case.prepare {
            send(request(client, url, prepare(size, sample)), case).await?;
        }
        let duration = send(request(client, url, (case.call)(size, sample)), case).await?;
        if sample > WARM_UP {
            samples.push(duration);
        }
    }
    samples.sort_unstable();
    Ok(samples[samples.len() / 2])
}

fn request(client: &Client, url: &str, call: Call) -> RequestBuilder {
    let request = client.request(call.method, format!("{url}/api/v1{}", call.path));
    match call.body {
        Some(body) => request.json(&body),
        None => request,
    }
}

/// The time until the whole answer is there.
async fn send(request: RequestBuilder, case: &Case) -> Result<Duration> {
    let start = Instant::now();
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    let duration = start.elapsed();
    ensure!(status.is_success(), "{}: {status}: {text}", case.name);
    Ok(duration)
}
