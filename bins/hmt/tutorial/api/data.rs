//! The data of the API.

use serde_json::{Value, json};

use super::Query;

/// A small red square.
pub(super) const PICTURE: &[u8] = include_bytes!("square.png");

const CATEGORIES: [&str; 4] = ["kitchen", "garden", "office", "outdoor"];

const PRODUCTS: [(&str, u32, Option<&str>); 12] = [
    ("Kettle", 2990, Some("Boils a litre in two minutes.")),
    ("Spade", 1850, None),
    ("Desk lamp", 3400, Some("Warm light, three steps.")),
    ("Tent", 12900, Some("For two people and a dog.")),
    ("Tea pot", 2250, None),
    ("Watering can", 1490, Some("Ten litres, zinc.")),
    ("Stapler", 790, None),
    ("Head torch", 2600, Some("Runs for forty hours.")),
    ("Bread knife", 3150, Some("Serrated, 20 cm.")),
    ("Rake", 1700, None),
    ("Notebook", 450, Some("Dotted, 120 pages.")),
    ("Camping stove", 4990, Some("Takes any gas cartridge.")),
];

const USERS: [(&str, &str, &str); 4] = [
    ("0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001", "Ada", "2023-04-01T09:30:00Z"),
    ("3d2a7c64-1f0b-4c8e-8b57-51f6a2e4b002", "Grace", "2023-07-19T17:05:42Z"),
    ("7c9f0d12-8e3a-4b6d-a1c5-9f3b8d27b003", "Edsger", "2024-01-02T00:00:01Z"),
    ("a4e6b853-2d97-4f1a-b0e8-6d5c4f3ab004", "Barbara", "2024-11-30T23:59:59Z"),
];

fn products() -> impl Iterator<Item = Value> {
    PRODUCTS.iter().zip(1..).map(|(&(name, cents, text), id)| {
        json!({
            "id": id, "name": name, "price": {"amount": f64::from(cents) / 100.0, "currency": "EUR"},
            "category": CATEGORIES[(id - 1) % 4], "inStock": id % 5 != 0, "description": text,
            "tags": if id % 3 == 0 { json!(["new", "gift"]) } else { json!([]) },
        })
    })
}

pub(super) fn product(id: &str) -> Option<Value> {
    let id: u64 = id.parse().ok()?;
    products().find(|product| product["id"] == id)
}

/// A page of products, perhaps of one category.
pub(super) fn list(query: &Query<'_>) -> Value {
    let (page, limit) = (query.number("page", 1).max(1), query.number("limit", 5).min(50));
    let category = query.get("category");
    let wanted = |product: &Value| category.as_ref().is_none_or(|c| product["category"] == **c);
    let all: Vec<Value> = products().filter(wanted).collect();
    let skip = (page - 1).saturating_mul(limit);
    let items: Vec<&Value> = all.iter().skip(skip).take(limit).collect();
    json!({"total": all.len(), "page": page, "items": items})
}

pub(super) fn search(text: &str, limit: usize) -> Value {
    let text = text.to_lowercase();
    let hit = |product: &Value| {
        product["name"].as_str().is_some_and(|n| n.to_lowercase().contains(&text))
    };
    let hits: Vec<Value> = products()
        .filter(hit)
        .take(limit)
        .map(|product| json!({"id": product["id"], "name": product["name"]}))
        .collect();
    json!({"query": text, "hits": hits})
}

pub(super) fn users() -> Vec<Value> {
    let user = |&(id, name, since): &(&str, &str, &str)| {
        let email = format!("{}@example.com", name.to_lowercase());
        json!({"id": id, "name": name, "email": email, "since": since})
    };
    USERS.iter().map(user).collect()
}

pub(super) fn user(id: &str) -> Option<Value> {
    users().into_iter().find(|user| user["id"] == *id)
}

/// Items as ordered, with their prices, and the sum; `None` if one of them is invalid.
pub(super) fn price(items: &[Value]) -> Option<(Vec<Value>, Value)> {
    let mut cents = 0.0;
    let mut priced = Vec::new();
    for item in items {
        let found = product(&item["product"].to_string())?;
        let quantity = u32::try_from(item["quantity"].as_u64().filter(|&q| q > 0)?).ok()?;
        cents += found["price"]["amount"].as_f64()? * 100.0 * f64::from(quantity);
        priced.push(json!({"product": found["id"], "name": found["name"], "quantity": quantity}));
    }
    let total = json!({"amount": cents.round() / 100.0, "currency": "EUR"});
    (!priced.is_empty()).then_some((priced, total))
}
