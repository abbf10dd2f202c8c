// Re-exports what the scenarios share with `make chaos`.
@_exported import Servers
@_exported import Waiting
