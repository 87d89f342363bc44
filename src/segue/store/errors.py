"""What can go wrong with the store, in words that say what to do."""


class StoreError(Exception):
    """Base of the store's errors."""


class StoreUnavailable(StoreError):
    """The store cannot write now: the disk is full, or reading or writing it failed. Nothing of what was asked was
    kept; ask again later."""


class StoreInUse(StoreError):
    """Another Segue holds this store: stop it first, or point this one at a database of its own."""


class StoreTooNew(StoreError):
    """The database was written by a newer Segue: install that version, or restore a backup made by this one."""
