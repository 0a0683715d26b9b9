//! HTTPS upstreams: trusted by a given authority, refused, or taken as they are.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{recorder, records};
use crate::harness::Dir;

/// An HTTPS server with this certificate; gives its `localhost:PORT`.
fn https(certificate: CertificateDer<'static>, key: &KeyPair) -> String {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret",
            );
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    format!("localhost:{port}")
}

#[test]
fn certificates_count() {
    let dir = Dir::new();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    dir.write("ca.pem", authority.pem());
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let signed =
        CertificateParams::new(names.clone()).unwrap().signed_by(&key, &authority).unwrap();
    let trusted = https(signed.der().clone(), &key);
    let alone = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let unknown = https(alone.der().clone(), &key);

    let recorder = recorder(&dir, &["--upstream-ca", "ca.pem"]);
    let response = recorder.get(&format!("/https://{trusted}/x")).expect_status(200);
    assert_eq!(response.text(), "secret");
    let refused = recorder.get(&format!("/https://{unknown}/x")).expect_status(502);
    assert!(refused.text().contains("TLS"), "{}", refused.text());
    let records = records(recorder);
    assert_eq!(records[0]["request"]["protocol"], "https");
    assert_eq!(records[0]["request"]["host"], trusted.as_str());
    assert_eq!(records[0]["response"]["body"], "secret");
    assert!(records[1].get("response").is_none());

    let careless = super::recorder(&dir, &["--insecure"]);
    careless.get(&format!("/https://{unknown}/x")).expect_status(200);
    careless.stop().expect_code(0).expect_stderr("--insecure");

    let bad = dir.program("hmt-record").args(["--upstream-ca", "bad.pem"]);
    dir.write("bad.pem", "no certificate");
    bad.run().expect_code(1).expect_stderr("bad.pem");
}
