//! Locators: where exchanges come from and go to.
