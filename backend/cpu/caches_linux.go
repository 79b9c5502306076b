package cpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lastCache is the size of the first processor's last cache, in bytes.
func lastCache() int {
	size := usualCache
	for i := range 8 {
		text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu0/cache/index%d/size", i))
		if err != nil {
			break
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(text)), "K")); err == nil && n > 0 {
			size = n << 10
		}
	}
	return size
}
