//! Groups: a budget together, that many at once do not overshoot, and models of their own.

use crate::support::{
    TestApp, eventually,
    people::{Person, begins, taken_at_once},
    provider::Step,
};
use reqwest::StatusCode;
use uuid::Uuid;

/// A thousand tokens out cost a cent.
const PRICES: [(&str, &str); 3] = [
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__INPUT", "1"),
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__OUTPUT", "10"),
    ("PARLOR__CONTEXT__MAX_OUTPUT_TOKENS", "1000"),
];

async fn administrator(test: &TestApp) -> Person {
    let root = test.person("root").await;
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    root
}

/// A group with these people in it; its page.
async fn group(root: &Person, name: &str, budget: &str, members: &[&str]) -> String {
    let made = root.posts("/admin/groups", &[("name", name), ("budget", budget)]).await;
    let page = made.location.unwrap_or_else(|| panic!("{}", made.html));
    for member in members {
        let email = format!("{member}@example.org");
        assert_eq!(root.posts(&format!("{page}/add"), &[("email", &email)]).await.location.as_ref(), Some(&page));
    }
    page
}

/// Of the group: spent and reserved; and the sum of the ledger.
async fn money(test: &TestApp) -> (i64, i64, i64) {
    let sums = "select coalesce((select sum(spent) from group_spending), 0)::bigint,
                       coalesce((select sum(reserved) from group_spending), 0)::bigint,
                       coalesce((select sum(cost) from usage where purpose = 'answer'), 0)::bigint";
    sqlx::query_as(sums).fetch_one(&test.app.pools.http).await.unwrap()
}

/// Two hundred at once of two people, and room for exactly fifty in the budget of their group.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_do_not_overshoot_a_group() {
    let test = TestApp::with(&PRICES).await;
    let (ann, bob, root) = (test.person("ann").await, test.person("bob").await, administrator(&test).await);
    group(&root, "Staff", "1000", &["ann", "bob"]).await;
    let steps = [Step::Text("So".into()), Step::Hold, Step::Finish("stop"), Step::Usage(9, 1000), Step::Done];
    for _ in 0..51 {
        test.provider.does(steps.clone());
    }
    // the first one tells how much is reserved for each
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    let (_, each, _) = money(&test).await;
    assert!(each > 10_000, "{each}");
    test.execute(&format!("update groups set budget = {each} * 50")).await;
    assert_eq!(1 + taken_at_once(199, &[&ann, &bob]).await, 50);
    assert_eq!(money(&test).await, (0, each * 50, 0));
    // nothing of those that were refused is reserved in their own names either
    assert_eq!(test.value::<i64>("select sum(reserved)::bigint from spending").await, each * 50);
    let key = Uuid::now_v7().to_string();
    let page = bob.posts("/chats", &[("content", "hi"), ("model", "openai/fake-1"), ("key", key.as_str())]).await;
    assert!(page.html.contains("the budget of “Staff” of $"), "{}", page.html);
    eventually("all have ended", || async {
        test.provider.release();
        test.value::<i64>("select count(*) from generations where state <> 'completed'").await == 0
    })
    .await;
    let (spent, reserved, ledger) = money(&test).await;
    assert_eq!((spent, reserved, ledger), (50 * (9 + 10_000), 0, 50 * (9 + 10_000)));
    assert_eq!(test.value::<i64>("select sum(reserved)::bigint from spending").await, 0);
    assert!(bob.opens("/settings/usage").await.html.contains("budget of “Staff” of $"));
}

/// The smallest of all budgets holds; and what is reserved is given back in each, also when somebody has left meanwhile.
#[tokio::test]
async fn all_budgets_hold_and_all_get_it_back() {
    let test = TestApp::with(&PRICES).await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    let staff = group(&root, "Staff", "5", &["ann"]).await;
    group(&root, "Tenth floor", "7", &["ann"]).await;
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    let (_, both, _) = money(&test).await;
    let user: Uuid = test.value("select id from users where name = 'ann'").await;
    root.posts(&format!("{staff}/remove"), &[("user", &user.to_string())]).await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    ann.sees(&chat, "data-state=\"stopped\"").await;
    assert!(both > 20_000, "{both}");
    assert_eq!(money(&test).await.1, 0, "in both");
    test.execute("update groups set budget = 1000 where name = 'Tenth floor'").await;
    assert_eq!(begins(&ann).await, 429);
    assert_eq!(money(&test).await.1, 0);
    // without a group, and without a budget of one's own, nothing is held against anything
    test.execute("delete from groups").await;
    test.provider.streams(["Hello"]);
    assert_eq!(begins(&ann).await, 303);
}

#[tokio::test]
async fn a_model_is_for_some_groups() {
    let test = TestApp::start().await;
    let (ann, bob, root) = (test.person("ann").await, test.person("bob").await, administrator(&test).await);
    let page = group(&root, "Staff", "", &["ann"]).await;
    group(&root, "Guests", "", &["bob"]).await;
    let id = page.rsplit('/').next().unwrap();
    let names = ["label", "context", "max_output", "input", "cached", "output", "images", "tools", "reasoning"];
    let mut form: Vec<(&str, &str)> = names.into_iter().map(|name| (name, "")).collect();
    form.extend([("model", "openai/fake-1"), ("audience", "groups")]);
    let refused = root.posts("/admin/models/edit", &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("Choose at least one group") && refused.html.contains("value=\"groups\" checked"));
    form.push(("group", id));
    let saved = root.posts("/admin/models/edit", &form).await;
    assert_eq!(saved.location.as_deref(), Some("/admin/models?saved"), "{}", saved.html);
    let edit = root.opens("/admin/models/edit?model=openai%2Ffake-1").await.html;
    assert!(edit.contains(&format!("value=\"{id}\" checked")), "{edit}");
    for (who, may) in [(&ann, true), (&bob, false), (&root, true)] {
        assert_eq!(who.opens("/").await.html.contains("openai/fake-1"), may);
        assert_eq!(begins(who).await, if may { 303 } else { 422 });
    }
    let user: Uuid = test.value("select id from users where name = 'ann'").await;
    root.posts(&format!("{page}/remove"), &[("user", &user.to_string())]).await;
    assert_eq!(begins(&ann).await, 422, "at once");
    // when the group is gone, administrators are left
    root.posts(&format!("{page}/delete"), &[]).await;
    assert_eq!((begins(&root).await, begins(&bob).await), (303, 422));
}

#[tokio::test]
async fn groups_are_made_changed_and_deleted() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let root = administrator(&test).await;
    assert!(root.opens("/admin/groups").await.html.contains("There is no group yet"));
    let page = group(&root, "  The   Staff ", "12", &["ann"]).await;
    assert!(root.opens("/admin/groups").await.html.contains("$12.00"));
    let shown = root.opens(&page).await;
    assert_eq!((shown.field("name").as_deref(), shown.field("budget").as_deref()), (Some("The Staff"), Some("12")));
    assert!(shown.html.contains("ann@example.org"));
    for (path, fields, words) in [
        ("/admin/groups", vec![("name", "the staff"), ("budget", "")], "a group of this name already"),
        ("/admin/groups", vec![("name", " "), ("budget", "")], "A group needs a name"),
        ("/admin/groups", vec![("name", "Guests"), ("budget", "lots")], "A whole number from 1"),
        (page.as_str(), vec![("name", "The Staff"), ("budget", "0")], "A whole number from 1"),
        (&format!("{page}/add"), vec![("email", "nobody@example.org")], "No account has this address"),
        (&format!("{page}/add"), vec![("email", "nobody")], "No account has this address"),
    ] {
        let refused = root.posts(path, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {fields:?}");
        assert!(refused.html.contains(words), "`{words}` is missing in {}", refused.html);
        assert!(refused.html.contains(&format!("value=\"{}\"", fields[fields.len() - 1].1)), "what was typed stays");
    }
    let changed = root.posts(&page, &[("name", "Everybody"), ("budget", "")]).await;
    assert_eq!(changed.location.as_deref(), Some(format!("{page}?saved").as_str()));
    let user: Uuid = test.value("select id from users where name = 'ann'").await;
    root.posts(&format!("{page}/remove"), &[("user", &user.to_string())]).await;
    assert!(root.opens(&page).await.html.contains("Nobody is in it yet"));
    root.posts(&format!("{page}/delete"), &[]).await;
    assert_eq!(root.opens(&page).await.status, StatusCode::NOT_FOUND);
    let noted: i64 = test.value("select count(*) from audit where action like 'group.%'").await;
    assert_eq!(noted, 5, "made, added, changed, taken out, deleted");
}
