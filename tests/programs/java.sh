# Java: compile and run; a pool of threads, files, a child process, the collector.
# needs: javac java
cat > Hello.java <<'J'
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;

public class Hello {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(16);
        List<Future<Long>> results = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            final int n = i;
            results.add(pool.submit(() -> { long sum = 0; for (int k = 0; k < 100000; k++) sum += k % (n + 1); return sum; }));
        }
        long total = 0;
        for (Future<Long> result : results) total += result.get();
        pool.shutdown();
        System.out.println("total " + total + ", processors " + (Runtime.getRuntime().availableProcessors() > 0));
        Path path = Files.createTempFile("a", "b");
        Files.writeString(path, "text");
        System.out.println(Files.readString(path) + " " + Files.size(path));
        Process child = new ProcessBuilder("sh", "-c", "cat; exit 4").start();
        child.getOutputStream().write("to the child".getBytes());
        child.getOutputStream().close();
        System.out.println(new String(child.getInputStream().readAllBytes()) + " " + child.waitFor());
        byte[][] garbage = new byte[64][];
        for (int i = 0; i < 2000; i++) garbage[i % 64] = new byte[100000];
        System.gc();
        System.out.println("collected");
    }
}
J
javac Hello.java && java Hello
