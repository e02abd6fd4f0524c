"""Files as other programs write them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(rows, *, like=None, dictionary=True):
    """A Parquet file of rows; `like`: rows whose columns it has."""
    table = pa.Table.from_pylist(rows, schema=pa.Table.from_pylist(like).schema if like else None)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", use_dictionary=dictionary)
    return out.getvalue()
