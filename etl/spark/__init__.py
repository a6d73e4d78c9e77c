"""The road past one machine: the same transformations on Spark, for who sets `TRANSFORM_ENGINE=spark`."""
