//! What is said when a connection cannot be as safe as it is to be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use expect_test::{Expect, expect};
use redengine_core::runlog::LogErrorKind;
use redengine_log::PostgresLog;
use redengine_testserver::Server;

use super::papers::Authority;
use super::records::assert_says;
use super::{SEALED, file, speak, trusted, trusting, url};

/// Fails to connect, with these words and no password.
#[track_caller]
fn refuses(url: &str, says: &Expect) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(PostgresLog::connect(url)).unwrap_err();
    assert_says(&error, LogErrorKind::Open, "cannot open `postgres://localhost:");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    let error = error.to_string();
    let (_, why) = error.split_once("`: ").unwrap();
    let folder = file("x", "").parent().unwrap().display().to_string();
    says.assert_eq(&why.replace(&folder, "."));
}

#[track_caller]
fn refused_by(user: &str, parameters: &str, says: &Expect) {
    refuses(&url(&SEALED.server, user, parameters), says);
}

#[test]
fn a_server_that_wants_tls_refuses_who_does_not() {
    refused_by(
        "redengine:s3cret",
        "sslmode=disable",
        &expect![
            "the server does not let user `redengine` in without TLS; add `sslmode=verify-full` to the address"
        ],
    );
}

#[test]
fn whom_nobody_knows_is_refused_with_and_without_tls() {
    refused_by(
        "stranger",
        "",
        &expect![
            "the server does not let user `stranger` in; correct the user and the password in the address"
        ],
    );
    refused_by(
        "bound:wrong",
        "",
        &expect![
            "the server does not let user `bound` in; correct the user and the password in the address"
        ],
    );
}

#[test]
fn a_certificate_of_whom_one_does_not_trust_is_refused() {
    let other = trusting(&file("other.pem", &Authority::new("somebody else").certificate()));
    refused_by(
        "redengine",
        &format!("sslmode=verify-full&{other}"),
        &expect![
            "the certificate of the server is not from anybody whom `./other.pem` trusts; let `sslrootcert` name a file with the certificate of who has signed it"
        ],
    );
    // Who names whom to trust wants that looked at.
    refused_by(
        "redengine",
        &format!("sslmode=require&{other}"),
        &expect![
            "the certificate of the server is not from anybody whom `./other.pem` trusts; let `sslrootcert` name a file with the certificate of who has signed it"
        ],
    );
    refused_by(
        "redengine",
        "sslmode=verify-full",
        &expect![
            "the certificate of the server is not from anybody whom this system trusts; let `sslrootcert` name a file with the certificate of who has signed it"
        ],
    );
}

#[test]
fn a_user_without_a_fitting_certificate_is_refused() {
    refused_by(
        "known",
        "sslmode=require",
        &expect![
            "the server does not let user `known` in without a certificate; let `sslcert` and `sslkey` name the files of one"
        ],
    );
    let other = Authority::new("somebody else").user("known");
    let (certificate, key) = (file("o.pem", &other.certificate), file("o.key", &other.key));
    let mine = |certificate: &std::path::Path, key: &std::path::Path| {
        format!("sslmode=require&sslcert={}&sslkey={}", certificate.display(), key.display())
    };
    refused_by(
        "known",
        &mine(&certificate, &key),
        &expect![
            "the server does not take the certificate `./o.pem`, which `sslcert` names; let it be signed by whom the server trusts (`ssl_ca_file`)"
        ],
    );
    let other = SEALED.authority.user("unknown");
    let (certificate, key) = (file("u.pem", &other.certificate), file("u.key", &other.key));
    refused_by(
        "known",
        &mine(&certificate, &key),
        &expect![
            "the certificate that `sslcert` names is not that of user `known`; correct the user in the address, or name the certificate of that user"
        ],
    );
}

#[test]
fn a_server_that_does_not_bind_a_password_is_refused_if_that_is_asked_for() {
    refused_by(
        "redengine:s3cret",
        "sslmode=require&channel_binding=require",
        &expect![
            "the server does not bind the password to its certificate, which `channel_binding=require` asks for; that needs TLS and a password kept as `scram-sha-256`"
        ],
    );
}

#[test]
fn files_that_are_not_what_they_are_to_be_are_named() {
    let with = |parameters: String| format!("sslmode=verify-full&{parameters}");
    let missing = file("x", "").with_file_name("missing.pem");
    refused_by(
        "redengine",
        &with(trusting(&missing)),
        &expect![
            "cannot read `./missing.pem`, which `sslrootcert` names: No such file or directory (os error 2); correct the path, or the rights of the file"
        ],
    );
    let empty = file("empty.pem", "");
    refused_by(
        "redengine",
        &with(trusting(&empty)),
        &expect![
            "`./empty.pem`, which `sslrootcert` names, does not hold certificates in the form of PEM: no items found"
        ],
    );
    let papers = SEALED.authority.user("redengine");
    let certificate = file("mine.pem", &papers.certificate);
    let mine = |key: &std::path::Path| {
        format!("{}&sslcert={}&sslkey={}", trusted(), certificate.display(), key.display())
    };
    refused_by(
        "redengine",
        &with(mine(&missing)),
        &expect![
            "cannot read `./missing.pem`, which `sslkey` names: No such file or directory (os error 2); correct the path, or the rights of the file"
        ],
    );
    refused_by(
        "redengine",
        &with(mine(&empty)),
        &expect![
            "`./empty.pem`, which `sslkey` names, holds no private key in the form of PEM that is not encrypted; write it so with `openssl pkey`"
        ],
    );
    let other = file("other.key", &SEALED.authority.user("redengine").key);
    refused_by(
        "redengine",
        &with(mine(&other)),
        &expect![
            "`./mine.pem` and `./other.key`, which `sslcert` and `sslkey` name, do not go together: keys may not be consistent: KeyMismatch"
        ],
    );
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    refused_by(
        "redengine",
        &with(mine(&other)),
        &expect![
            "others than its owner can read `./other.key`, which `sslkey` names; run `chmod 600 ./other.key`"
        ],
    );
}

#[test]
fn servers_that_are_not_who_they_are_to_be_are_refused() {
    let server = Server::start().unwrap();
    let authority = Authority::new("who signs");
    let trusted = trusting(&file("signs.pem", &authority.certificate()));
    let asks = |mode: &str| url(&server, "redengine", &format!("sslmode={mode}&{trusted}"));
    let connects = |url: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(PostgresLog::connect(url)).unwrap();
    };
    refuses(
        &asks("verify-full"),
        &expect![
            "the server does not speak TLS, which `sslmode=verify-full` asks for; set `ssl = on` on the server, or write `sslmode=disable` if the network is safe"
        ],
    );
    connects(&asks("prefer"));

    let lets_in = "hostssl all all all trust";
    speak(&server, &authority.server("other.example"), &authority, lets_in);
    refuses(
        &asks("verify-full"),
        &expect![
            "the certificate of the server is for `other.example`, and not for `localhost`; name the server in the address as its certificate does, or write `sslmode=verify-ca` to not compare them"
        ],
    );
    connects(&asks("verify-ca"));

    speak(&server, &authority.expired_server("localhost"), &authority, lets_in);
    refuses(
        &asks("verify-full"),
        &expect![
            "the certificate of the server, or of who has signed it, has expired at 2025-01-01T00:00:00Z; renew it there"
        ],
    );
    refuses(
        &asks("verify-ca"),
        &expect![
            "the certificate of the server, or of who has signed it, has expired at 2025-01-01T00:00:00Z; renew it there"
        ],
    );
    // What went wrong with TLS tells more than that it cannot be done without.
    refuses(
        &asks("prefer"),
        &expect![
            "the certificate of the server, or of who has signed it, has expired at 2025-01-01T00:00:00Z; renew it there"
        ],
    );

    speak(&server, &authority.as_server(), &authority, lets_in);
    refuses(
        &asks("verify-full"),
        &expect![
            "the certificate of the server is one that signs others, not that of a server; make one that it signs, and let `sslrootcert` name the file with the one that signs"
        ],
    );
}
