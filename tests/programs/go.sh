# Go: a program with goroutines, processes and signals is built and run; the tests of 101 packages of the standard library
# needs: go
# seconds: 2400
export HOME=$PWD GOCACHE=$PWD/cache GOTOOLCHAIN=local GOFLAGS=-p=2
cat > main.go <<'G'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func main() {
	fmt.Println("processors", runtime.NumCPU() == runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 1000; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			time.Sleep(time.Millisecond)
			lock.Lock()
			sum += i
			lock.Unlock()
		}(i)
	}
	wait.Wait()
	fmt.Println("sum", sum)
	out, err := exec.Command("sh", "-c", "echo child; exit 3").Output()
	fmt.Printf("%q %v\n", out, err)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-signals)
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("collected", stats.NumGC > 0)
}
G
go build -o hello main.go && ./hello
packages="archive/tar archive/zip bufio bytes cmp compress/bzip2 compress/flate compress/gzip compress/lzw compress/zlib container/heap container/list
container/ring context crypto/aes crypto/cipher crypto/des crypto/dsa crypto/ed25519 crypto/elliptic crypto/hmac crypto/md5 crypto/rand crypto/rc4
crypto/sha1 crypto/sha256 crypto/sha512 crypto/subtle database/sql embed encoding/ascii85 encoding/asn1 encoding/base32 encoding/base64 encoding/binary
encoding/csv encoding/gob encoding/hex encoding/json encoding/pem encoding/xml errors expvar flag fmt go/ast go/build/constraint go/constant go/format
go/parser go/printer go/scanner go/token hash/adler32 hash/crc32 hash/crc64 hash/fnv hash/maphash html html/template image image/color image/draw
image/gif image/jpeg image/png index/suffixarray io io/fs io/ioutil log math math/bits math/cmplx math/rand mime mime/multipart net/mail net/textproto
net/url os/exec os/signal os/user path path/filepath reflect regexp regexp/syntax sort strconv strings sync sync/atomic text/scanner text/tabwriter
text/template text/template/parse time unicode unicode/utf16 unicode/utf8"
# In the library's own module: elsewhere programs get the defaults of an older Go (GODEBUG), and its tests say so.
cd "$(go env GOROOT)/src"
go test -short -vet=off $(go list $packages 2>/dev/null) 2>&1 | sed 's/\t[0-9.]*s\b//; s/(cached)//; s/ *$//' | grep -P '^(ok|FAIL)\s' | sort
