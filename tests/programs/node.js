// What node.sh runs. Every line printed is the same on every machine.
const fs=require('fs'),os=require('os'),cp=require('child_process'),zlib=require('zlib'),crypto=require('crypto'),path=require('path');
const {Worker,isMainThread,parentPort,workerData,threadId}=require('worker_threads');
const {pipeline}=require('stream/promises'); const {Readable,Transform}=require('stream');
async function main(){
 console.log(os.cpus().length === os.availableParallelism(), os.totalmem()>0, os.freemem()>0, os.uptime()>0, os.loadavg().length, os.hostname().length>0, os.type(), os.arch(), os.userInfo().username.length > 0, os.tmpdir());
 await fs.promises.mkdir('d/e/f',{recursive:true});
 await fs.promises.writeFile('d/x','hello');
 console.log(await fs.promises.readFile('d/x','utf8'));
 await fs.promises.cp('d','g',{recursive:true});
 console.log((await fs.promises.readdir('g')).sort());
 console.log(fs.readdirSync('g',{withFileTypes:true}).map(d=>[d.name,d.isDirectory()]));
 await fs.promises.rm('g',{recursive:true});
 const st=await fs.promises.stat('d/x'); console.log(st.size,st.isFile(), st.mode.toString(8));
 const sums=await Promise.all([1,2,3,4].map(n=>new Promise((res,rej)=>{const w=new Worker(`const {parentPort,workerData}=require('worker_threads');let s=0;for(let i=0;i<1e6;i++)s+=i%workerData;parentPort.postMessage(s)`,{eval:true,workerData:n});w.on('message',res);w.on('error',rej)})));
 console.log(sums);
 const sab=new SharedArrayBuffer(4), ia=new Int32Array(sab);
 const w=new Worker(`const {workerData}=require('worker_threads');const ia=new Int32Array(workerData);Atomics.store(ia,0,42);Atomics.notify(ia,0)`,{eval:true,workerData:sab});
 await new Promise(r=>w.on('exit',r)); console.log(Atomics.load(ia,0));
 console.log(cp.execSync('echo sync $((1+1))').toString().trim());
 console.log(await new Promise(r=>cp.exec('cat; exit 3',(e,so,se)=>r([e&&e.code,so])).stdin.end('stdin')));
 const c=cp.spawn('sh',['-c','kill -TERM $$']); console.log(await new Promise(r=>c.on('exit',(a,b)=>r([a,b]))));
 const f=cp.fork(__filename,['child']); console.log(await new Promise(r=>f.on('message',r))); f.send('bye'); console.log(await new Promise(r=>f.on('exit',r)));
 const t=Date.now(); await new Promise(r=>setTimeout(r,50)); console.log(Date.now()-t>=49);
 let n=0; await new Promise(r=>{const i=setInterval(()=>{if(++n==5){clearInterval(i);r()}},5)}); console.log(n);
 const z=zlib.gzipSync(Buffer.alloc(100000,'ab')); console.log(zlib.gunzipSync(z).length, zlib.brotliDecompressSync(zlib.brotliCompressSync('q')).toString());
 console.log(crypto.createHash('sha256').update('x').digest('hex'), crypto.randomBytes(8).length, crypto.scryptSync('a','b',16).toString('hex'));
 console.log(await new Promise((r,j)=>crypto.pbkdf2('a','b',1000,16,'sha512',(e,k)=>e?j(e):r(k.toString('hex')))));
 const {privateKey,publicKey}=crypto.generateKeyPairSync('ed25519'); console.log(crypto.verify(null,Buffer.from('m'),publicKey,crypto.sign(null,Buffer.from('m'),privateKey)));
 await pipeline(Readable.from(Array.from({length:1000},(_, i)=>`line ${i}\n`)),zlib.createGzip(),fs.createWriteStream('s.gz'));
 let len=0; await pipeline(fs.createReadStream('s.gz'),zlib.createGunzip(),new Transform({transform(c,e,cb){len+=c.length;cb()}})); console.log(len);
 try { const seen=[]; const watcher=fs.watch('d',(ev,name)=>{seen.push([ev,name])}); await new Promise(r=>setTimeout(r,50)); fs.writeFileSync('d/y','1'); fs.renameSync('d/y','d/z'); fs.unlinkSync('d/z'); await new Promise(r=>setTimeout(r,100)); watcher.close(); console.log('watch',JSON.stringify(seen)); } catch(e) { console.log('watch', e.code); }
 await new Promise(r=>{let k=0; fs.watchFile('d/x',{interval:20},()=>{fs.unwatchFile('d/x');console.log('watchFile');r()}); setTimeout(()=>fs.writeFileSync('d/x','changed now'),60)});
 process.on('SIGUSR2',()=>console.log('usr2')); process.kill(process.pid,'SIGUSR2'); await new Promise(r=>setTimeout(r,50));
 const net=require('net'); const srv=net.createServer(s=>{s.pipe(s)}); await new Promise(r=>srv.listen('sock',r)); const cl=net.connect('sock'); cl.write('echo me'); console.log((await new Promise(r=>cl.on('data',r))).toString()); cl.end(); srv.close();
 console.log(process.memoryUsage().rss>1e6, process.resourceUsage().maxRSS>1000, process.cpuUsage().user>0, process.title.length>0, process.hrtime.bigint()>0n);
 // Which address of localhost comes first is for /etc/hosts to say, and that is the machine's.
 try { const dns=require('dns'); console.log(await new Promise(r=>dns.lookup('localhost',(e,a)=>r([e&&e.code,a=='127.0.0.1'||a=='::1'])))); } catch(e){console.log(e)}
 console.log(cp.spawnSync('false').status, cp.spawnSync('nosuchprogram').error.code);
 fs.rmSync('d',{recursive:true}); fs.unlinkSync('s.gz');
}
if(process.argv[2]=='child'){process.send({pid:process.pid>0});process.on('message',m=>{process.exit(5)})} else main().catch(e=>{console.log('FAIL',e);process.exit(1)});
