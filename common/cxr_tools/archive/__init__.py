"""A bundle on very many radiographs, on one machine or on a cluster, by Ray Data; results as Parquet."""
