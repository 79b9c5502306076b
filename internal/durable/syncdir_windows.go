package durable

// SyncDir does nothing: Windows has no flush of a folder, and renames there go through
// the journal of the file system.
func SyncDir(string) error { return nil }
