//! What may be spent in a month: reserved when an answer is accepted, settled when it ends, never overshot.

use crate::support::{
    TestApp, eventually,
    people::{Person, taken_at_once},
    process::{House, Process},
    program::{caller_of_new, chat},
    provider::{Provider, Step},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// A thousand tokens out cost a cent.
const PRICES: [(&str, &str); 3] = [
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__INPUT", "1"),
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__OUTPUT", "10"),
    ("PARLOR__CONTEXT__MAX_OUTPUT_TOKENS", "1000"),
];

/// Spent, reserved, and what the ledger says.
async fn money(test: &TestApp) -> (i64, i64, i64) {
    let sums = "select coalesce((select sum(spent) from spending), 0)::bigint,
                       coalesce((select sum(reserved) from spending), 0)::bigint,
                       coalesce((select sum(cost) from usage), 0)::bigint";
    sqlx::query_as(sums).fetch_one(&test.app.pools.http).await.unwrap()
}

/// So much may everybody spend, in micro-units.
async fn budget(test: &TestApp, micro: i64) {
    test.execute("delete from user_limits").await;
    test.execute(&format!("insert into user_limits (user_id, budget) select id, {micro} from users")).await;
}

fn counted(prompt: i64, completion: i64) -> [Step; 4] {
    [Step::Text("So.".into()), Step::Finish("stop"), Step::Usage(prompt, completion), Step::Done]
}

#[tokio::test]
async fn what_is_reserved_is_settled_at_the_end() {
    let test = TestApp::with(&PRICES).await;
    let ann = test.person("ann").await;
    budget(&test, 1_000_000).await;
    test.provider.does([Step::Text("So".into()), Step::Hold, Step::Finish("stop"), Step::Usage(20, 10), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    // a thousand tokens out, and no more tokens in than bytes, and some for each message
    let (spent, reserved, _) = money(&test).await;
    assert_eq!(spent, 0);
    assert!((10_002..10_200).contains(&reserved), "{reserved}");
    assert!(ann.opens("/settings/usage").await.html.contains("budget of $1.00 are left"));
    test.provider.release();
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(money(&test).await, (120, 0, 120));

    // stopped, failed and removed with its chat: nothing stays reserved
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let second = ann.asks("hi").await;
    ann.sees(&second, "So").await;
    assert!(money(&test).await.1 > 10_000);
    let answer = ann.last_answer(&second).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    ann.sees(&second, "data-state=\"stopped\"").await;
    assert_eq!(money(&test).await.1, 0);
    test.provider.refuses(400, "no");
    let third = ann.asks("hi").await;
    ann.sees(&third, "data-state=\"failed\"").await;
    assert_eq!(money(&test).await.1, 0);
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let fourth = ann.asks("hi").await;
    ann.sees(&fourth, "So").await;
    assert!(money(&test).await.1 > 10_000);
    test.execute("delete from chats where id = (select chat_id from generations where state = 'streaming')").await;
    assert_eq!(money(&test).await.1, 0);
    eventually("what was spent is what the ledger says", || async {
        let (spent, _, ledger) = money(&test).await;
        spent == ledger && spent > 120
    })
    .await;
}

#[tokio::test]
async fn who_has_nothing_left_is_told_what_to_do() {
    let test = TestApp::with(&PRICES).await;
    let (ann, root) = (test.person("ann").await, test.person("root").await);
    budget(&test, 15_000).await;
    test.provider.does(counted(100, 500));
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let key = uuid::Uuid::now_v7().to_string();
    let fields = [("content", "What I say is kept"), ("model", "openai/fake-1"), ("key", key.as_str())];
    let page = ann.posts("/chats", &fields).await;
    assert_eq!(page.status, 429);
    for words in ["budget of $0.0150", "$0.0051 are spent", "Take a cheaper model", "What I say is kept"] {
        assert!(page.html.contains(words), "`{words}` is missing in {}", page.html);
    }
    // a model without a price is let through, and so is whoever has no budget
    let key = uuid::Uuid::now_v7().to_string();
    let fields = [("content", "hi"), ("model", "openai/fake-2"), ("key", key.as_str())];
    assert_eq!(ann.posts("/chats", &fields).await.status, 303);
    test.execute("update user_limits set budget = 0").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;

    // and an administrator gives her more, in whole units
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    let id: uuid::Uuid = test.value("select id from users where name = 'ann'").await;
    let form = [("messages_per_minute", ""), ("messages_per_day", ""), ("budget", "25")];
    root.posts(&format!("/admin/users/{id}/limits"), &form).await;
    let given: i64 = test.value(&format!("select budget from user_limits where user_id = '{id}'")).await;
    assert_eq!(given, 25_000_000);
    assert!(root.opens(&format!("/admin/users/{id}")).await.html.contains("value=\"25\""));
    let wrong = [("messages_per_minute", ""), ("messages_per_day", ""), ("budget", "a lot")];
    assert_eq!(root.posts(&format!("/admin/users/{id}/limits"), &wrong).await.status, 422);
    let roles = [
        ("member_minute", ""),
        ("member_day", ""),
        ("member_budget", "5"),
        ("administrator_minute", ""),
        ("administrator_day", ""),
        ("administrator_budget", ""),
    ];
    root.posts("/admin/limits", &roles).await;
    assert_eq!(test.value::<i64>("select budget from role_limits where role = 'member'").await, 5_000_000);
    assert!(root.opens("/admin/audit").await.html.contains("budget of a month: 5"));
}

/// One that answers instead may be dearer: that is reserved.
#[tokio::test]
async fn the_dearest_that_may_answer_is_reserved() {
    let other = Provider::start().await;
    let url = other.url();
    let mut settings = PRICES.to_vec();
    settings.extend([
        ("PARLOR__PROVIDERS__OTHER__BASE_URL", url.as_str()),
        ("PARLOR__PROVIDERS__OTHER__PRICES__FAKE-2__INPUT", "0"),
        ("PARLOR__PROVIDERS__OTHER__PRICES__FAKE-2__OUTPUT", "40"),
        ("PARLOR__PROVIDERS__OPENAI__FALLBACKS__FAKE-1", "other/fake-2"),
        ("OPENAI_API_KEY", "key-1"),
    ]);
    let test = TestApp::with(&settings).await;
    let ann = test.person("ann").await;
    budget(&test, 1_000_000).await;
    test.provider.refuses(503, "no");
    other.does([Step::Text("So".into()), Step::Hold, Step::Finish("stop"), Step::Usage(20, 1000), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    assert!(money(&test).await.1 > 40_000);
    other.release();
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(money(&test).await, (40_000, 0, 40_000));
}

/// Two hundred at once, and room for exactly fifty: fifty are taken, none of them settled meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_do_not_overshoot() {
    let test = TestApp::with(&PRICES).await;
    let ann = test.person("ann").await;
    budget(&test, 1_000_000_000).await;
    for _ in 0..51 {
        test.provider.does([
            Step::Text("So".into()),
            Step::Hold,
            Step::Finish("stop"),
            Step::Usage(9, 1000),
            Step::Done,
        ]);
    }
    // the first one tells how much is reserved for each
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    let (_, each, _) = money(&test).await;
    budget(&test, each * 50).await;
    assert_eq!(1 + taken_at_once(199, &[&ann]).await, 50);
    assert_eq!(money(&test).await, (0, each * 50, 0));
    eventually("all are asked", || async { test.provider.asked().len() == 50 }).await;
    for _ in 0..50 {
        test.provider.release();
        tokio::task::yield_now().await;
    }
    eventually("all have ended", || async {
        test.provider.release();
        test.value::<i64>("select count(*) from generations where state <> 'completed'").await == 0
    })
    .await;
    let (spent, reserved, ledger) = money(&test).await;
    assert_eq!((reserved, spent), (0, ledger));
    assert!(spent <= each * 50, "{spent}");
    assert_eq!(spent, 50 * (9 + 10_000));
}

/// A process that is killed in mid-answer leaves nothing reserved behind.
#[tokio::test]
async fn after_a_crash_nothing_stays_reserved() {
    let mut house = House::make().await.with("PARLOR__GENERATION__LEASE", "2").with("PARLOR__GENERATION__RENEW", "0.5");
    house = house.with("PARLOR__GENERATION__SWEEP", "0.5").with("PARLOR__LIMITS__BUDGET_PER_MONTH", "5");
    for (name, value) in PRICES {
        house = house.with(name, value);
    }
    let mut first = Process::spawn(house.command(&["serve"]));
    let ann = Person::new(&first.address().await);
    ann.registers("ann").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    house.provider.does([Step::Text("So".into()), Step::Hold]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "So").await;
    let reserved = || house.database.value::<i64>("select coalesce(sum(reserved), 0)::bigint from spending");
    assert!(reserved().await > 10_000);
    first.kill();
    let mut second = Process::spawn(house.command(&["serve"]));
    second.address().await;
    eventually("the sweep ends it", || async { reserved().await == 0 }).await;
    second.kill();
}

#[tokio::test]
async fn a_budget_holds_for_calls_too() {
    let test = TestApp::with(&PRICES).await;
    let ann = caller_of_new(&test, "ann").await;
    test.execute("insert into user_limits (user_id, budget) select id, 25000 from users").await;
    test.provider.does([Step::Text("So".into()), Step::Hold, Step::Finish("stop"), Step::Usage(20, 10), Step::Done]);
    let small = json!({ "max_tokens": 1000, "stream": true });
    let request = ann.request(Method::POST, "/v1/chat/completions").json(&chat("openai/fake-1", &small));
    let first = tokio::spawn(request.send());
    let money = "select (select sum(spent) from spending)::bigint, (select sum(reserved) from spending)::bigint";
    let money = || async {
        sqlx::query_as::<_, (Option<i64>, Option<i64>)>(money).fetch_one(&test.app.pools.http).await.unwrap()
    };
    eventually("it is asked", || async { test.provider.asked().len() == 1 }).await;
    assert!(money().await.1 > Some(10_000));
    // one more has room, a third has none
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let second =
        ann.request(Method::POST, "/v1/chat/completions").json(&chat("openai/fake-1", &small)).send().await.unwrap();
    let third = ann.posts("/v1/chat/completions", &chat("openai/fake-1", &small)).await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(third.text.contains("your budget of $0.0250"), "{}", third.text);
    // whoever leaves gives back what is not used
    drop(second);
    eventually("the second gave back", || async { money().await.1 < Some(20_000) }).await;
    test.provider.release();
    assert!(first.await.unwrap().unwrap().text().await.unwrap().contains("[DONE]"));
    eventually("nothing is reserved", || async { money().await.1 == Some(0) }).await;
    let (spent, of_ledger): (i64, i64) =
        sqlx::query_as("select (select sum(spent) from spending)::bigint, (select sum(cost) from usage)::bigint")
            .fetch_one(&test.app.pools.http)
            .await
            .unwrap();
    assert!(spent == of_ledger && spent >= 120, "{spent} {of_ledger}");
    // what a process that is gone left reserved is given back
    test.execute("select reserve_call('01890a5d-ac96-774b-bcce-b302099a8057', id, 25000, 5000) from users").await;
    test.execute("update calls set seen = now() - interval '10 minutes'").await;
    assert_eq!(money().await.1, Some(5000));
    let _another_process = parlor::domain::calls::Desk::new(&test.app);
    eventually("it is given back", || async { money().await.1 == Some(0) }).await;
}
