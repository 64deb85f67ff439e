"""From text to a selection and a model trained on it: the steps that tables and `gotd` share, each kept in a work folder."""
