//! One connection to the server, kept open, with as little work for each request as can be.

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    address: String,
    buffer: Vec<u8>,
}

/// The body of an answer with status 200.
pub(crate) struct Answer<'a> {
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(self.body).context("the answer is not JSON")
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> anyhow::Result<usize> {
        Ok(self.json()?["results"].as_array().map_or(0, Vec::len))
    }

    /// Path and query of the next page.
    pub(crate) fn next(&self) -> anyhow::Result<Option<String>> {
        let json = self.json()?;
        let Some(url) = json["next"].as_str() else { return Ok(None) };
        let path = url.find("/api/").context("the link to the next page has no path")?;
        Ok(Some(url[path..].to_owned()))
    }
}

impl Client {
    pub(crate) async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server can't be reached")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address: address.to_owned(), buffer: vec![0; 1 << 20] })
    }

    /// Sends a request and reads the whole answer, which must be a 200 with a Content-Length.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Answer<'_>> {
        let token = datagen::entities::staff::ADMIN_TOKEN;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        let (head, length) = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                bail!("the server closed the connection after {path}");
            }
            filled += read;
            if let Some(end) = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end])?;
                if !head.starts_with("HTTP/1.1 200") {
                    bail!("{path}: {}", String::from_utf8_lossy(&self.buffer[..filled]));
                }
                let length = head
                    .lines()
                    .find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned)
                    })
                    .context("the answer has no Content-Length")?;
                break (end + 4, length.trim().parse::<usize>()?);
            }
        };
        if self.buffer.len() < head + length {
            self.buffer.resize(head + length, 0);
        }
        if filled < head + length {
            self.stream.read_exact(&mut self.buffer[filled..head + length]).await?;
        }
        Ok(Answer { body: &self.buffer[head..head + length] })
    }
}
