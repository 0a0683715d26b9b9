//! Parses the keywords of a schema object into a node.
//!
//! A keyword with an invalid value is skipped with a warning: a spec with formal errors is still
//! mostly usable.

use serde_json::{Map, Number, Value};

use super::node::{Bound, Contains, Content, Discriminator, Node, NodeId, Pattern, Types, Xml};
use super::number::compare;
use crate::spec::join_pointer;

pub(super) struct Reader<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) pointer: &'a str,
    /// 3.0: `nullable`, and booleans as `exclusiveMinimum`.
    pub(super) nullable_word: bool,
    pub(super) warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// Reads all keywords except references; `intern` returns the node of a pointer.
    pub(super) fn read(&mut self, node: &mut Node, intern: &mut dyn FnMut(String) -> NodeId) {
        self.general(node);
        self.scalars(node);
        self.arrays(node, intern);
        self.objects(node, intern);
        self.combinations(node, intern);
        self.content(node, intern);
        for (key, value) in self.map {
            match key.as_str() {
                "x-faker" => node.faker = Some(value.clone()),
                key if key.starts_with("x-") => {
                    node.extensions.insert(key.to_owned(), value.clone());
                }
                _ => {}
            }
        }
    }

    fn general(&mut self, node: &mut Node) {
        node.types = self.types();
        if self.nullable_word
            && self.flag("nullable")
            && let Some(types) = node.types
        {
            node.types = Some(types.with(Types::NULL));
        }
        node.enumeration = match (self.map.get("const"), self.map.get("enum")) {
            (Some(only), _) => Some(vec![only.clone()]),
            (None, Some(Value::Array(values))) if values.is_empty() => {
                let pointer = join_pointer(self.pointer, "enum");
                self.warnings.push(format!("{pointer}: has no values; any value is accepted"));
                None
            }
            (None, Some(Value::Array(values))) => Some(values.clone()),
            (None, Some(_)) => {
                self.wrong("enum");
                None
            }
            (None, None) => None,
        };
        node.format = self.text("format");
        // The name of this keyword in OpenAPI 3.0.
        if node.format.is_none() && self.text("contentEncoding").as_deref() == Some("base64") {
            node.format = Some("byte".to_owned());
            node.format_is_encoding = true;
        }
        node.xml = self.xml().map(Box::new);
        node.read_only = self.flag("readOnly");
        node.write_only = self.flag("writeOnly");
        node.default = self.map.get("default").cloned();
        node.example =
            self.map.get("example").cloned().or_else(|| match self.map.get("examples") {
                Some(Value::Array(examples)) => examples.first().cloned(),
                _ => None,
            });
    }

    /// JSON in texts (3.1). Other media types are not interpreted.
    fn content(&mut self, node: &mut Node, intern: &mut dyn FnMut(String) -> NodeId) {
        let Some(media) = self.text("contentMediaType").filter(|_| !self.nullable_word) else {
            return;
        };
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let encoding = self.text("contentEncoding");
        let base64 = encoding.as_deref() == Some("base64");
        if (media == "application/json" || media.ends_with("+json"))
            && (base64 || encoding.is_none())
        {
            let schema = self.one("contentSchema", intern);
            node.content = Some(Box::new(Content { base64, schema }));
        }
    }

    fn types(&mut self) -> Option<Types> {
        let one = |name: &str| match name {
            "null" => Some(Types::NULL),
            "boolean" => Some(Types::BOOLEAN),
            "integer" => Some(Types::INTEGER),
            "number" => Some(Types::NUMBER),
            "string" | "file" => Some(Types::STRING),
            "array" => Some(Types::ARRAY),
            "object" => Some(Types::OBJECT),
            _ => None,
        };
        let types = match self.map.get("type")? {
            Value::String(name) => one(name),
            Value::Array(names) => names
                .iter()
                .map(|name| one(name.as_str()?))
                .try_fold(Types::default(), |all, next| Some(all.with(next?))),
            _ => None,
        };
        if types.is_none() {
            self.wrong("type");
        }
        types
    }

    fn scalars(&mut self, node: &mut Node) {
        node.minimum = self.bound("minimum", "exclusiveMinimum", std::cmp::Ordering::Greater);
        node.maximum = self.bound("maximum", "exclusiveMaximum", std::cmp::Ordering::Less);
        node.multiple_of = self.number("multipleOf");
        node.min_length = self.count("minLength");
        node.max_length = self.count("maxLength");
        node.pattern = self.text("pattern").map(|source| self.pattern("pattern", &source));
    }

    /// One end of the range. If both keywords are numbers, the tighter one counts; `tighter` is how
    /// it compares.
    fn bound(&mut self, word: &str, exclusive: &str, tighter: std::cmp::Ordering) -> Option<Bound> {
        let plain = self.number(word);
        let (flag, strict) = match self.map.get(exclusive) {
            Some(Value::Bool(flag)) => (*flag, None),
            Some(Value::Number(number)) => (false, Some(number.clone())),
            Some(_) => {
                self.wrong(exclusive);
                (false, None)
            }
            None => (false, None),
        };
        match (plain, strict) {
            (Some(value), None) => Some(Bound { value, exclusive: flag }),
            (None, Some(value)) => Some(Bound { value, exclusive: true }),
            (Some(value), Some(strict)) if compare(&value, &strict) == tighter => {
                Some(Bound { value, exclusive: false })
            }
            (Some(_), Some(strict)) => Some(Bound { value: strict, exclusive: true }),
            (None, None) => None,
        }
    }

    fn arrays(&mut self, node: &mut Node, intern: &mut dyn FnMut(String) -> NodeId) {
        node.prefix_items = self.list("prefixItems", intern);
        // The form of drafts before 2020-12, which some 3.1 documents still use.
        if let Some(Value::Array(_)) = self.map.get("items") {
            node.prefix_items = self.list("items", intern);
            node.items = self.one("additionalItems", intern);
        } else {
            node.items = self.one("items", intern);
        }
        node.unevaluated_items = self.one("unevaluatedItems", intern);
        node.min_items = self.count("minItems");
        node.max_items = self.count("maxItems");
        node.unique_items = self.flag("uniqueItems");
        node.contains = self.one("contains", intern).map(|schema| Contains {
            schema,
            min: self.count("minContains").unwrap_or(1),
            max: self.count("maxContains"),
        });
    }

    fn objects(&mut self, node: &mut Node, intern: &mut dyn FnMut(String) -> NodeId) {
        node.properties = self.named("properties", intern);
        node.pattern_properties = self
            .named("patternProperties", intern)
            .into_iter()
            .map(|(source, schema)| (self.pattern("patternProperties", &source), schema))
            .collect();
        node.additional_properties = self.one("additionalProperties", intern);
        node.property_names = self.one("propertyNames", intern);
        node.unevaluated_properties = self.one("unevaluatedProperties", intern);
        node.required = self.names("required");
        node.dependent_schemas = self.named("dependentSchemas", intern);
        if let Some(Value::Object(map)) = self.map.get("dependentRequired") {
            node.dependent_required =
                map.iter().map(|(name, needs)| (name.clone(), strings(needs))).collect();
        }
        node.min_properties = self.count("minProperties");
        node.max_properties = self.count("maxProperties");
    }

    fn combinations(&mut self, node: &mut Node, intern: &mut dyn FnMut(String) -> NodeId) {
        node.all_of = self.list("allOf", intern);
        node.any_of = self.list("anyOf", intern);
        node.one_of = self.list("oneOf", intern);
        node.not = self.one("not", intern);
        node.if_then_else = self
            .one("if", intern)
            .map(|condition| (condition, self.one("then", intern), self.one("else", intern)));
    }

    /// Reads `discriminator`: its `mapping`, and for each branch the last segment of its reference.
    pub(super) fn discriminator(
        &mut self,
        node: &mut Node,
        mut target: impl FnMut(&str) -> Option<NodeId>,
    ) {
        let Some(discriminator) = self.map.get("discriminator") else { return };
        let Some(property) = discriminator.get("propertyName").and_then(Value::as_str) else {
            return self.wrong("discriminator");
        };
        let mut mapping: Vec<(String, NodeId)> = Vec::new();
        let mut names: Vec<(String, NodeId)> = Vec::new();
        let mut complete = true;
        if let Some(Value::Object(written)) = discriminator.get("mapping") {
            for (value, reference) in written {
                match reference.as_str().and_then(&mut target) {
                    Some(id) => mapping.push((value.clone(), id)),
                    None => {
                        complete = false;
                        self.wrong("discriminator");
                    }
                }
            }
        }
        let written = discriminator.get("defaultMapping").and_then(Value::as_str);
        let fallback = written.and_then(&mut target);
        complete &= written.is_some() == fallback.is_some();
        for list in ["oneOf", "anyOf"] {
            for branch in self.map.get(list).and_then(Value::as_array).into_iter().flatten() {
                let reference = branch.get("$ref").and_then(Value::as_str);
                let Some((reference, (_, name))) =
                    reference.and_then(|r| r.rsplit_once('/').map(|parts| (r, parts)))
                else {
                    complete = false;
                    continue;
                };
                // A branch in its own file has the name of the file.
                let name = name.rsplit("~1").next().unwrap_or(name);
                let name = [".yaml", ".yml", ".json"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .unwrap_or(name);
                let Some(id) = target(reference) else {
                    complete = false;
                    continue;
                };
                match mapping.iter().any(|(known, other)| known == name || *other == id) {
                    true => names.push((name.to_owned(), id)),
                    false => mapping.push((name.to_owned(), id)),
                }
            }
        }
        let property = property.to_owned();
        node.discriminator = Some(Discriminator { property, mapping, names, fallback, complete });
    }

    fn xml(&mut self) -> Option<Xml> {
        let Some(Value::Object(xml)) = self.map.get("xml") else {
            if self.map.contains_key("xml") {
                self.wrong("xml");
            }
            return None;
        };
        let text = |key: &str| xml.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| xml.get(key) == Some(&Value::Bool(true));
        let kind = text("nodeType");
        Some(Xml {
            name: text("name"),
            namespace: text("namespace"),
            prefix: text("prefix"),
            // 3.2 expresses it with the kind of the node.
            attribute: flag("attribute") || kind.as_deref() == Some("attribute"),
            text: flag("x-hmt-text") || matches!(kind.as_deref(), Some("text" | "cdata")),
            wrapped: flag("wrapped") || kind.as_deref() == Some("element") && self.is_array(),
        })
    }

    fn is_array(&self) -> bool {
        self.map.get("type").and_then(Value::as_str) == Some("array")
    }

    fn wrong(&mut self, key: &str) {
        self.warnings
            .push(format!("{}: invalid value; it is ignored", join_pointer(self.pointer, key)));
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.map.get(key) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.wrong(key);
                false
            }
        }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.map.get(key)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(key);
                None
            }
        }
    }

    fn number(&mut self, key: &str) -> Option<Number> {
        match self.map.get(key)? {
            Value::Number(number) => Some(number.clone()),
            _ => {
                self.wrong(key);
                None
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number that is not negative; beyond u64 it saturates"
    )]
    fn count(&mut self, key: &str) -> Option<u64> {
        let value = self.map.get(key)?;
        let count = value
            .as_u64()
            .or_else(|| value.as_f64().filter(|f| f.fract() == 0.0 && *f >= 0.0).map(|f| f as u64));
        if count.is_none() {
            self.wrong(key);
        }
        count
    }

    fn pattern(&mut self, key: &str, source: &str) -> Pattern {
        let shown = ["example", "default"].iter().find_map(|key| self.map.get(*key)?.as_str());
        let literal = Pattern::of_literal(source).or_else(|| {
            Pattern::of_literal_that_matches(source, shown.filter(|_| key == "pattern")?)
        });
        if let Some(literal) = literal {
            self.warnings.push(format!(
                "{}: {source:?} is a JavaScript literal; it is read without its slashes",
                join_pointer(self.pointer, key)
            ));
            return literal;
        }
        let pattern = Pattern::new(source);
        if !pattern.is_checked() {
            self.warnings.push(format!(
                "{}: pattern {source:?} is not valid or not supported; it is ignored",
                join_pointer(self.pointer, key)
            ));
        }
        pattern
    }

    fn names(&mut self, key: &str) -> Vec<String> {
        match self.map.get(key) {
            Some(Value::Array(_)) => strings(&self.map[key]),
            None => Vec::new(),
            Some(_) => {
                self.wrong(key);
                Vec::new()
            }
        }
    }

    fn one(&mut self, key: &str, intern: &mut dyn FnMut(String) -> NodeId) -> Option<NodeId> {
        match self.map.get(key)? {
            Value::Object(_) | Value::Bool(_) => Some(intern(join_pointer(self.pointer, key))),
            _ => {
                self.wrong(key);
                None
            }
        }
    }

    fn list(&mut self, key: &str, intern: &mut dyn FnMut(String) -> NodeId) -> Vec<NodeId> {
        match self.map.get(key) {
            None => Vec::new(),
            Some(Value::Array(items)) if items.iter().all(is_schema) => (0..items.len())
                .map(|index| intern(format!("{}/{index}", join_pointer(self.pointer, key))))
                .collect(),
            Some(_) => {
                self.wrong(key);
                Vec::new()
            }
        }
    }

    fn named(
        &mut self,
        key: &str,
        intern: &mut dyn FnMut(String) -> NodeId,
    ) -> Vec<(String, NodeId)> {
        match self.map.get(key) {
            None => Vec::new(),
            Some(Value::Object(map)) => {
                if !map.values().all(is_schema) {
                    self.wrong(key);
                }
                let base = join_pointer(self.pointer, key);
                let good = map.iter().filter(|(_, schema)| is_schema(schema));
                good.map(|(name, _)| (name.clone(), intern(join_pointer(&base, name)))).collect()
            }
            Some(_) => {
                self.wrong(key);
                Vec::new()
            }
        }
    }
}

fn is_schema(value: &Value) -> bool {
    value.is_object() || value.is_boolean()
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
