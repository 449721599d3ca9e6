"""The quickstart's base model from its recipe: tokenizer, training, and the card that says what was measured."""
