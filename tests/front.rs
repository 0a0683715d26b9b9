//! Tests of the front end, `hmt`.

use crate::harness::Dir;

#[test]
fn starts() {
    Dir::new().program("hmt").run().expect_code(0);
}
