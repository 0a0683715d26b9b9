//! Questions to a schema without a value, references and combinations followed.

use super::node::{NodeId, SchemaSet, Types};

impl SchemaSet {
    /// The types that a value of the schema can have, references and combinations followed; all types
    /// where it does not say.
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

    /// The schema of a property, references and `allOf` followed.
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
    /// The schema of an array's items, references and combinations followed.
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
