// What the scenarios have in common with `make chaos`, for every file here.
@_exported import Servers
@_exported import Waiting
