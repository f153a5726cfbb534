#!/bin/bash
# The compiler, the linker and what they made.
cat > hello.c <<'EOF'
#include <pthread.h>
#include <stdio.h>
static void *run(void *arg) { printf("thread %s\n", (char *)arg); return arg; }
int main(void) { pthread_t t; void *r; pthread_create(&t, 0, run, "one"); pthread_join(t, &r); printf("joined %s\n", (char *)r); return 3; }
EOF
gcc hello.c -pthread && ./a.out; echo "status $?"
gcc -static -O2 hello.c -o static -pthread && ./static; echo "status $?"
gcc -c hello.c && nm hello.o | awk '{ print $NF }' | sort | head -5
echo 'int main(void) { return x; }' | gcc -x c - 2>&1 | grep -c error
gcc -shared -fPIC -o libx.so -x c - <<< 'int answer(void) { return 42; }'
gcc -o use -x c - -L. -lx -Wl,-rpath,'$ORIGIN' <<< 'int answer(void); int main(void) { return answer(); }' && ./use; echo "status $?"
