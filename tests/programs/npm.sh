# npm test and npm run of a small project: the built-in test runner with workers, child processes and fs.watch
# needs: node npm
# seconds: 300
export npm_config_update_notifier=false npm_config_cache=$PWD/cache npm_config_offline=true NO_COLOR=1
mkdir -p project/test project/lib; cd project
cat > package.json <<'J'
{"name": "small", "version": "1.0.0", "scripts": {"test": "node --test --test-reporter=tap test", "build": "node -e \"require('fs').writeFileSync('built', 'yes')\"", "pretest": "npm run -s build", "fails": "exit 3"}}
J
echo 'exports.sum = (...n) => n.reduce((a, b) => a + b, 0);' > lib/sum.js
cat > test/sum.test.js <<'J'
const test = require('node:test'), assert = require('node:assert'), fs = require('fs'), path = require('path'), os = require('os');
const {Worker} = require('worker_threads'), cp = require('child_process'), {sum} = require('../lib/sum');
test('sums', () => assert.strictEqual(sum(1, 2, 3), 6));
test('built before', () => assert.strictEqual(fs.readFileSync('built', 'utf8'), 'yes'));
test('workers', async () => {
  const work = n => new Promise((done, fail) => new Worker('const {parentPort, workerData} = require("worker_threads"); parentPort.postMessage(workerData * 2)', {eval: true, workerData: n}).on('message', done).on('error', fail));
  assert.deepStrictEqual(await Promise.all([1, 2, 3, 4, 5, 6].map(work)), [2, 4, 6, 8, 10, 12]);
});
test('child processes', async () => {
  assert.strictEqual(cp.execFileSync('sh', ['-c', 'cat'], {input: 'piped'}).toString(), 'piped');
  const codes = await Promise.all([0, 1, 2, 3].map(n => new Promise(done => cp.spawn('sh', ['-c', `exit ${n}`]).on('exit', done))));
  assert.deepStrictEqual(codes, [0, 1, 2, 3]);
});
test('fs.watch', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'w-'));
  const seen = new Promise(done => { const watcher = fs.watch(folder, (event, name) => { watcher.close(); done(name); }); });
  fs.writeFileSync(path.join(folder, 'new'), 'x');
  assert.strictEqual(await seen, 'new');
});
test('fails on purpose', {todo: true}, () => assert.ok(false));
J
npm test 2>&1 | grep -E '^(> |# (tests|pass|fail|todo|Subtest)|ok|not ok)' | sed 's/ *# time.*//'; npm run fails > out 2>&1; echo "status $?"; npm ls 2>&1 | sed 's/@.*//'; npm pack --silent 2>&1; tar tzf small-1.0.0.tgz; npm install --silent ./small-1.0.0.tgz 2>&1; echo "install $?"
