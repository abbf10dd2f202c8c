import ArgumentParser

@main struct Baton: ParsableCommand {}
