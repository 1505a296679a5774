//! Registration by invitation: who may invite, and what an invitation is good for.

use crate::support::{
    TestApp,
    people::{PASSWORD, Page, Person, between},
};
use reqwest::StatusCode;

const PAGE: &str = "/admin/invitations";

async fn house(registration: &str) -> (TestApp, Person) {
    let root = [("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", PASSWORD), ("REGISTRATION", registration)];
    let test = TestApp::with(&root).await;
    parlor::domain::accounts::first_administrator(&test.app).await.unwrap();
    let root = test.stranger();
    assert_eq!(root.signs_in("root", PASSWORD).await.status, StatusCode::SEE_OTHER);
    (test, root)
}

async fn invites(root: &Person, email: &str) -> String {
    let page = root.posts(PAGE, &[("email", email)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    between(&page.html, "/register?token=", "\"").expect("the link")
}

async fn accepts(person: &Person, token: &str, email: &str) -> Page {
    let fields = [("token", token), ("email", email), ("name", "Zoë"), ("password", PASSWORD)];
    person.posts("/register", &fields).await
}

#[tokio::test]
async fn who_is_invited_gets_in_and_nobody_else() {
    let (test, root) = house("invite").await;
    let guest = test.stranger();
    let page = guest.opens("/register").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.html.contains("By invitation only") && !page.html.contains("<form"));
    assert!(!guest.opens("/login").await.html.contains("href=\"/register"));
    let form = [("email", "eve@example.org"), ("name", "Eve"), ("password", PASSWORD)];
    assert_eq!(guest.posts("/register", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(guest.opens("/register?token=guessed").await.status, StatusCode::NOT_FOUND);
    assert_eq!(accepts(&guest, "guessed", "eve@example.org").await.status, StatusCode::NOT_FOUND);

    let token = invites(&root, " Zoe@Example.org").await;
    let letter = test.letter_to("Zoe@Example.org").await;
    assert_eq!(letter.token(), token);
    assert!(letter.text.contains("Administrator invites you"), "{}", letter.text);
    let page = root.opens(PAGE).await;
    assert!(page.html.contains("Zoe@Example.org") && page.html.contains("open until"));
    assert!(!page.html.contains(&token), "the link is shown once");

    let page = guest.opens(&format!("/register?token={token}")).await;
    assert!(page.html.contains("value=\"Zoe@Example.org\"") && page.html.contains("readonly"));
    let short = [("token", token.as_str()), ("email", ""), ("name", "Zoë"), ("password", "short")];
    let page = guest.posts("/register", &short).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "a slip does not use it up");
    assert!(page.html.contains(&token), "and the form still has it");
    let other = test.stranger();
    let (one, two) =
        tokio::join!(accepts(&guest, &token, "eve@example.org"), accepts(&other, &token, "zoe@example.org"));
    let mut both = [one.status.as_u16(), two.status.as_u16()];
    both.sort_unstable();
    assert!(both[0] == 303 && (both[1] == 404 || both[1] == 422), "of two, one gets in: {both:?}");
    let made: String = test.value("select string_agg(email || ' ' || role, ', ') from users where name = 'Zoë'").await;
    assert_eq!(made, "Zoe@Example.org member", "the address of the invitation, whatever was typed");
    assert_eq!(accepts(&test.stranger(), &token, "x@example.org").await.status, StatusCode::NOT_FOUND, "once");
    assert!(root.opens(PAGE).await.html.contains("used"));
    let noted: Vec<String> = test
        .database
        .column("select actor || ' ' || action || ' ' || details from audit where action like 'inv%' order by id")
        .await;
    assert_eq!(
        noted,
        ["root@example.org invitation.created Zoe@Example.org, member", "Zoe@Example.org invitation.used member"]
    );
    let hidden: bool = test.value(&format!("select not bool_or(i::text like '%{token}%') from invitations i")).await;
    assert!(hidden, "only its hash is stored");
}

#[tokio::test]
async fn invitations_are_revoked_replaced_and_grow_old() {
    let (test, root) = house("invite").await;
    let guest = test.stranger();
    let first = invites(&root, "zoe@example.org").await;
    let second = invites(&root, "ZOE@example.org").await;
    assert_eq!(guest.opens(&format!("/register?token={first}")).await.status, StatusCode::NOT_FOUND, "replaced");
    assert_eq!(guest.opens(&format!("/register?token={second}")).await.status, StatusCode::OK);
    let page = root.opens(PAGE).await;
    assert_eq!(page.html.matches("/revoke\"").count(), 1, "one is open");
    let id = between(&page.html, "action=\"/admin/invitations/", "/revoke").unwrap();
    let revoke = format!("{PAGE}/{id}/revoke");
    assert_eq!(root.posts(&revoke, &[]).await.location.as_deref(), Some("/admin/invitations?revoked"));
    assert_eq!(accepts(&guest, &second, "zoe@example.org").await.status, StatusCode::NOT_FOUND);
    assert_eq!(root.posts(&revoke, &[]).await.status, StatusCode::NOT_FOUND);
    let third = invites(&root, "zoe@example.org").await;
    let days: f64 =
        test.value("select extract(epoch from max(expires_at) - now())::float8 / 86400 from invitations").await;
    assert!((6.9..=7.).contains(&days), "{days}");
    test.execute("update invitations set expires_at = now() where revoked_at is null").await;
    assert_eq!(accepts(&guest, &third, "zoe@example.org").await.status, StatusCode::NOT_FOUND);
    assert!(root.opens(PAGE).await.html.contains("too old"));
}

/// S4: the role is the inviter's to give, never the form's of whoever comes.
#[tokio::test]
async fn s4_a_role_comes_with_the_invitation() {
    let (test, root) = house("open").await;
    assert!(root.opens(PAGE).await.html.contains("Registration is open"));
    let page = root.posts(PAGE, &[("email", "adam@example.org"), ("role", "administrator")]).await;
    let token = between(&page.html, "/register?token=", "\"").unwrap();
    assert_eq!(
        root.posts(PAGE, &[("email", "x@example.org"), ("role", "owner")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let taken = root.posts(PAGE, &[("email", "ROOT@example.org")]).await;
    assert!(taken.status == StatusCode::UNPROCESSABLE_ENTITY && taken.html.contains("already"));
    let adam = test.stranger();
    accepts(&adam, &token, "").await;
    assert_eq!(adam.opens(PAGE).await.status, StatusCode::OK);
    let token = invites(&root, "bob@example.org").await;
    let fields =
        [("token", token.as_str()), ("email", ""), ("name", "Bob"), ("password", PASSWORD), ("role", "administrator")];
    assert_eq!(test.stranger().posts("/register", &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let bob = test.stranger();
    accepts(&bob, &token, "").await;
    assert_eq!(bob.opens(PAGE).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.posts(PAGE, &[("email", "x@example.org")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn closed_is_closed() {
    let (test, root) = house("closed").await;
    let page = test.stranger().opens("/register").await;
    assert!(page.status == StatusCode::FORBIDDEN && page.html.contains("Registration is closed"));
    let page = root.posts(PAGE, &[("email", "zoe@example.org")]).await;
    assert!(page.status == StatusCode::CONFLICT && page.html.contains("nobody can be invited"));
}

/// Whoever is no administrator any more has invited nobody.
#[tokio::test]
async fn an_invitation_does_not_outlive_the_rights_of_who_made_it() {
    let (test, root) = house("invite").await;
    for what in ["role", "disabled"] {
        let other = parlor::domain::accounts::Registering {
            email: format!("{what}@example.org"),
            name: "Other".to_owned(),
            password: PASSWORD.to_owned(),
        };
        let actor = parlor::domain::audit::Actor::operator();
        let user = parlor::domain::accounts::create(&test.app, &other, true, &actor).await.unwrap();
        let chief = test.stranger();
        chief.signs_in(what, PASSWORD).await;
        let token = invites(&chief, &format!("guest-of-{what}@example.org")).await;
        assert_eq!(test.stranger().opens(&format!("/register?token={token}")).await.status, StatusCode::OK);
        match what {
            "role" => parlor::domain::people::set_role(&test.app, &actor, user.id, false).await.unwrap(),
            _ => parlor::domain::people::disable(&test.app, &actor, user.id).await.unwrap(),
        }
        let page = accepts(&test.stranger(), &token, "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{what}");
    }
    let kept = invites(&root, "guest-of-root@example.org").await;
    assert_eq!(accepts(&test.stranger(), &kept, "").await.status, StatusCode::SEE_OTHER);
}
