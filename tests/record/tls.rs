//! HTTPS upstreams: trusted through a given authority, refused, or accepted without checks.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{recorder, records};
use crate::harness::Dir;

/// An HTTPS server with this certificate; returns its `localhost:PORT`.
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

/// A server with a self-signed certificate as created by `openssl req -x509`: it is that of an
/// authority.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    (https(certificate.der().clone(), &key), certificate.pem())
}

#[test]
fn certificates_of_servers_can_be_trusted_by_themselves() {
    let dir = Dir::new();
    let by_common_name = |params: &mut CertificateParams| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, "localhost");
    };
    let plain = self_signed(|_| ());
    let no_authority = self_signed(|params| params.is_ca = IsCa::NoCa);
    let old_style = self_signed(by_common_name);
    let other_name = self_signed(|params| {
        params.subject_alt_names = vec![SanType::DnsName("a.test".try_into().unwrap())];
    });
    let expired = self_signed(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let later = self_signed(|params| params.not_before = rcgen::date_time_ymd(2090, 1, 1));
    let unnamed = self_signed(|_| ());
    let named = [&plain, &no_authority, &old_style, &other_name, &expired, &later];
    dir.write("servers.pem", named.map(|(_, pem)| pem.as_str()).concat());
    let recorder = recorder(&dir, &["--upstream-ca", "servers.pem"]);
    for (server, why) in [
        (&plain, ""),
        (&no_authority, ""),
        (&old_style, ""),
        (&other_name, "its certificate is not for localhost"),
        (&expired, "its certificate has expired; --insecure accepts it"),
        (&later, "its certificate is not valid yet"),
        (&unnamed, "its certificate is self-signed; trust it with --upstream-ca FILE"),
    ] {
        let answer = recorder.get(&format!("/https://{}/x", server.0));
        let answer = answer.expect_status(if why.is_empty() { 200 } else { 502 });
        assert!(answer.text().contains(why), "{why}\n{}", answer.text());
    }
    recorder
        .stop()
        .expect_code(0)
        .expect_stderr("its certificate is self-signed; trust it with --upstream-ca FILE")
        .expect_stderr("seen 7, written 7, dropped 0, failed upstream 4 (tls 4)");
}
