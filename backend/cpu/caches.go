package cpu

import "sync"

// usualCache is the last cache of a processor that doesn't tell, in bytes.
const usualCache = 16 << 20

// cacheSize is lastCache, read once.
var cacheSize = sync.OnceValue(lastCache)
