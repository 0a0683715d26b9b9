//! A fresh folder, the programs of this build, and servers that end with the test.
