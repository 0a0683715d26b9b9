//! Compiled schemas: join (least upper bound) and check (validate).

mod node;

pub use node::{Bound, Contains, Discriminator, Node, NodeId, Pattern, SchemaSet, Types};
