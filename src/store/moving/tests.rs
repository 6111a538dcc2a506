//! The list of tables against both schemas.
