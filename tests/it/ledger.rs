//! What was used and what it cost: each request is written down once, and adds up.

use crate::support::{TestApp, eventually, provider::Step};
use futures::{StreamExt, stream};
use parlor::{
    base::month::Month,
    domain::{
        accounts::Viewer,
        ledger::{self, By, Sum, Whose},
    },
};

const PRICES: [(&str, &str); 3] = [
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__INPUT", "2.5"),
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__CACHED", "0.25"),
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__OUTPUT", "15"),
];

/// Outcome, prompt, cached, completion, reasoning, whether it was counted by us, and its cost.
type Row = (String, i64, i64, i64, i64, bool, Option<i64>);

async fn rows(test: &TestApp) -> Vec<Row> {
    let rows = sqlx::query_as(
        "select outcome, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, estimated, cost from usage order by id",
    );
    rows.fetch_all(&test.app.pools.http).await.unwrap()
}

fn counted(text: &str, usage: (i64, i64, i64, i64)) -> [Step; 4] {
    let (prompt, cached, completion, reasoning) = usage;
    [Step::Text(text.into()), Step::Finish("stop"), Step::Counted(prompt, cached, completion, reasoning), Step::Done]
}

#[tokio::test]
async fn each_request_is_written_down_with_its_cost() {
    let test = TestApp::with(&PRICES).await;
    let ann = test.person("ann").await;
    test.provider.does(counted("One.", (1000, 400, 100, 60)));
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    // 600 at 2.5, 400 at 0.25 and 100 at 15 for a million: 1500 + 100 + 1500 micro-units
    assert_eq!(rows(&test).await, [("complete".into(), 1000, 400, 100, 60, false, Some(3100))]);

    // a key that is refused is a request of its own, and the next one another
    test.provider.refuses(503, "overloaded");
    test.provider.does(counted("Two.", (10, 0, 2, 0)));
    ann.says(&chat, "again").await;
    ann.sees(&chat, "Two.").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    eventually("both are there", || async { rows(&test).await.len() == 3 }).await;
    let all = rows(&test).await;
    assert_eq!(all[1], ("broken".into(), 0, 0, 0, 0, false, Some(0)));
    assert_eq!(all[2], ("complete".into(), 10, 0, 2, 0, false, Some(55)));

    // what is stopped or cut has a count of our own
    test.provider.does([Step::Text("Three and some more words".into()), Step::Hold]);
    ann.says(&chat, "more").await;
    ann.sees(&chat, "Three and some").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    eventually("the stopped one is there", || async { rows(&test).await.len() == 4 }).await;
    test.provider.does([Step::Text("Four and some more words".into()), Step::Cut]);
    ann.says(&chat, "and more").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    eventually("the cut one is there", || async { rows(&test).await.len() == 5 }).await;
    for (row, outcome) in rows(&test).await[3..].iter().zip(["stopped", "cut"]) {
        assert_eq!((row.0.as_str(), row.5), (outcome, true), "{row:?}");
        assert!(row.1 > 0 && row.3 == 8 && row.6.is_some_and(|cost| cost > 0), "{row:?}");
    }
    // each is hers, of this chat, with a key and the time it took
    let whose: i64 = test
        .value(
            "select count(*) from usage s join users u on u.id = s.user_id join chats c on c.id = s.chat_id
             join generations g on g.id = s.generation_id where s.key_id is not null and s.purpose = 'answer'
             and (s.first_token_ms is null) = (s.outcome = 'broken')",
        )
        .await;
    assert_eq!(whose, 5);
}

#[tokio::test]
async fn without_a_price_there_is_no_cost_and_without_a_count_there_is_a_guess() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Twelve bytes".into()), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let [row] = &rows(&test).await[..] else { panic!() };
    assert_eq!((row.0.as_str(), row.3, row.5, row.6), ("complete", 4, true, None), "{row:?}");
}

/// A thousand answers with random figures: the ledger's sum is the provider's, to the micro-unit; and what pages add up is
/// the same.
#[tokio::test]
async fn the_sum_is_what_the_provider_reported() {
    let test = TestApp::with(&PRICES).await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let (mut sum, mut state) = (Sum::default(), 12345_i64);
    let mut next = |most: i64| {
        state = (state * 1_103_515_245 + 12345) % (1 << 31);
        state % most
    };
    for _ in 0..1000 {
        let prompt = 1 + next(200_000);
        let (cached, completion) = (next(prompt), 1 + next(20_000));
        let reasoning = next(completion);
        sum.requests += 1;
        (sum.prompt, sum.cached) = (sum.prompt + prompt, sum.cached + cached);
        (sum.completion, sum.reasoning) = (sum.completion + completion, sum.reasoning + reasoning);
        // halves are rounded up
        sum.cost += ((prompt - cached) * 2_500_000 + cached * 250_000 + completion * 15_000_000 + 500_000) / 1_000_000;
        test.provider.does(counted("So.", (prompt, cached, completion, reasoning)));
    }
    let asking = stream::iter(0..1000).for_each_concurrent(8, |n| {
        let who = if n % 3 == 0 { &bob } else { &ann };
        async move { drop(who.asks("hi").await) }
    });
    asking.await;
    eventually("all are complete", || async {
        test.value::<i64>("select count(*) from generations where state <> 'completed'").await == 0
    })
    .await;
    let written: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
        "select count(*), sum(prompt_tokens)::bigint, sum(cached_tokens)::bigint, sum(completion_tokens)::bigint,
                sum(reasoning_tokens)::bigint, sum(cost)::bigint from usage",
    )
    .fetch_one(&test.app.pools.http)
    .await
    .unwrap();
    assert_eq!(written, (1000, sum.prompt, sum.cached, sum.completion, sum.reasoning, sum.cost));

    let root = Viewer { administrator: true, ..test.viewer("ann").await };
    let guest = test.viewer("bob").await;
    let month = Month::now();
    for by in [By::Day, By::Model, By::Provider] {
        let all = ledger::sums(&test.app, &root, Whose::All, month, by).await.unwrap();
        let total = all.iter().fold((0, 0, 0), |t, s| (t.0 + s.requests, t.1 + s.prompt, t.2 + s.cost));
        assert_eq!(total, (1000, sum.prompt, sum.cost), "{by:?}");
    }
    let people = ledger::sums(&test.app, &root, Whose::All, month, By::Person).await.unwrap();
    let mut names: Vec<_> = people.iter().map(|sum| (sum.name.as_str(), sum.requests)).collect();
    names.sort_unstable();
    assert_eq!(names, [("ann@example.org", 666), ("bob@example.org", 334)]);
    let his = ledger::sums(&test.app, &guest, Whose::Own, month, By::Model).await.unwrap();
    assert_eq!(his.iter().map(|sum| (sum.name.as_str(), sum.requests)).collect::<Vec<_>>(), [("openai/fake-1", 334)]);
    assert!(ledger::sums(&test.app, &guest, Whose::All, month, By::Day).await.is_err(), "only for administrators");
    assert!(ledger::sums(&test.app, &guest, Whose::Own, month.before(), By::Day).await.unwrap().is_empty());
}

/// What she sees of it: her own month, and as an administrator everybody's; a table, a picture and a file.
#[tokio::test]
async fn pages_and_files_of_what_was_used() {
    let test = TestApp::with(&PRICES).await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    assert!(ann.opens("/settings/usage").await.html.contains("Nothing was used in this month."));
    for (who, tokens) in [(&ann, 100_000), (&bob, 200_000)] {
        test.provider.does(counted("So.", (tokens, 0, 1000, 0)));
        let chat = who.asks("hi").await;
        who.sees(&chat, "data-state=\"completed\"").await;
    }
    let mine = ann.opens("/settings/usage").await.html;
    // 100,000 at 2.5 and 1,000 at 15 for a million
    for words in ["$0.2650", "100,000", "openai/fake-1", "<rect", "By day", "By model", "Save as CSV"] {
        assert!(mine.contains(words), "`{words}` is missing in {mine}");
    }
    assert!(!mine.contains("200,000") && !mine.contains("By person"), "only her own");
    let today = Month::now().name();
    let file = ann.opens(&format!("/settings/usage.csv?month={today}")).await.html;
    let lines: Vec<_> = file.lines().collect();
    assert!(lines[0].starts_with("day,provider,model,requests") && lines[0].contains("cost_usd"), "{file}");
    assert!(lines[1].ends_with(",\"openai\",\"fake-1\",1,0,100000,0,1000,0,0.265000,0"), "{file}");
    assert_eq!(lines.len(), 2);
    assert_eq!(ann.opens("/admin/usage").await.status, 404);
    assert_eq!(ann.opens("/admin/usage.csv").await.status, 404);

    test.execute("update users set role = 'administrator' where name = 'ann'").await;
    let all = ann.opens("/admin/usage").await.html;
    for words in ["$0.78", "300,000", "ann@example.org", "bob@example.org", "By person", "By provider"] {
        assert!(all.contains(words), "`{words}` is missing in {all}");
    }
    let file = ann.opens("/admin/usage.csv").await.html;
    assert!(file.lines().nth(2).unwrap().contains(",\"bob@example.org\",\"openai\",\"fake-1\",1,0,200000,"), "{file}");
    // another month, and one that is none
    assert!(ann.opens("/admin/usage?month=2026-01").await.html.contains("Nothing was used"));
    assert!(ann.opens("/admin/usage?month=soon").await.html.contains("$0.78"));
}
