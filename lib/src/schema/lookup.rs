//! Looks up properties of schemas without a value, following references and combinations.

use super::node::{NodeId, SchemaSet, Types, Xml};

impl SchemaSet {
    /// The node of the schema at a JSON pointer, if it was compiled.
    pub fn at(&self, pointer: &str) -> Option<NodeId> {
        self.by_pointer.get(pointer).copied()
    }

    /// The schema at the end of a chain of references. A chain of more than 64 is a cycle; then the
    /// result has a reference, too.
    pub fn target(&self, mut id: NodeId) -> NodeId {
        for _ in 0..64 {
            match self.node(id).reference {
                Some(next) => id = next,
                None => break,
            }
        }
        id
    }

    /// The types that a value can have; all types if the schema does not say. Follows references
    /// and combinations.
    pub fn types(&self, id: NodeId) -> Types {
        self.types_within(id, 0)
    }

    fn types_within(&self, id: NodeId, hops: u32) -> Types {
        const ALL: Types = Types(0x7f);
        if hops > 16 {
            return ALL;
        }
        let node = self.node(id);
        if let Some(target) = node.reference {
            return self.types_within(target, hops + 1);
        }
        let mut types = node.types.unwrap_or(ALL);
        if types.has(Types::NUMBER) {
            types = types.with(Types::INTEGER);
        }
        for branch in &node.all_of {
            types = Types(types.0 & self.types_within(*branch, hops + 1).0);
        }
        for branches in [&node.any_of, &node.one_of] {
            if !branches.is_empty() {
                let any = branches.iter().fold(Types::default(), |any, branch| {
                    any.with(self.types_within(*branch, hops + 1))
                });
                types = Types(types.0 & any.0);
            }
        }
        types
    }

    /// The schema of a property. Follows references and `allOf`.
    pub fn property(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.property_within(id, name, 0)
    }

    fn property_within(&self, id: NodeId, name: &str, hops: u32) -> Option<NodeId> {
        if hops > 16 {
            return None;
        }
        let node = self.node(id);
        if let Some(target) = node.reference {
            return self.property_within(target, name, hops + 1);
        }
        let own = node.properties.iter().find(|(key, _)| key == name).map(|(_, schema)| *schema);
        own.or_else(|| {
            let branches = node.all_of.iter().chain(&node.any_of).chain(&node.one_of);
            branches.into_iter().find_map(|b| self.property_within(*b, name, hops + 1))
        })
    }
}

impl SchemaSet {
    /// The schema of an array's items. Follows references and combinations.
    pub fn item(&self, id: NodeId) -> Option<NodeId> {
        self.item_within(id, 0)
    }

    fn item_within(&self, id: NodeId, hops: u32) -> Option<NodeId> {
        if hops > 16 {
            return None;
        }
        let node = self.node(id);
        if let Some(target) = node.reference {
            return self.item_within(target, hops + 1);
        }
        node.items.or_else(|| {
            let branches = node.all_of.iter().chain(&node.any_of).chain(&node.one_of);
            branches.into_iter().find_map(|b| self.item_within(*b, hops + 1))
        })
    }
}

impl SchemaSet {
    /// All declared properties by name, each once. Follows references and combinations.
    pub fn properties(&self, id: NodeId) -> Vec<(&str, NodeId)> {
        let mut found = Vec::new();
        self.properties_within(id, 0, &mut found);
        found
    }

    fn properties_within<'s>(&'s self, id: NodeId, hops: u32, found: &mut Vec<(&'s str, NodeId)>) {
        if hops > 16 {
            return;
        }
        let node = self.node(id);
        if let Some(target) = node.reference {
            return self.properties_within(target, hops + 1, found);
        }
        for (name, schema) in &node.properties {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name, *schema));
            }
        }
        for branch in node.all_of.iter().chain(&node.any_of).chain(&node.one_of) {
            self.properties_within(*branch, hops + 1, found);
        }
    }

    /// The schema of undeclared properties. Follows references and `allOf`.
    pub fn rest(&self, id: NodeId) -> Option<NodeId> {
        self.rest_within(id, 0)
    }

    fn rest_within(&self, id: NodeId, hops: u32) -> Option<NodeId> {
        if hops > 16 {
            return None;
        }
        let node = self.node(id);
        if let Some(target) = node.reference {
            return self.rest_within(target, hops + 1);
        }
        let within = || node.all_of.iter().find_map(|branch| self.rest_within(*branch, hops + 1));
        node.additional_properties.or_else(within)
    }

    /// How values of a schema are written in XML: its own `xml`, or that of its reference.
    pub fn xml(&self, id: NodeId) -> Option<&Xml> {
        let mut node = self.node(id);
        for _ in 0..16 {
            if node.xml.is_some() {
                break;
            }
            let only = if node.all_of.len() == 1 { node.all_of.first() } else { None };
            let Some(target) = node.reference.as_ref().or(only) else { break };
            node = self.node(*target);
        }
        node.xml.as_deref()
    }
}
