"""Predictors to compare a trained model with."""
