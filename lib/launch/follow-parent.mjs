// Preloaded into every process that the launcher starts: when the launcher is killed, its channel closes and the process
// ends too, so that the next start finds the port free and no build is still at work.
const patienceMilliseconds = 20_000;

// A builder hands our flags on to its workers, whose channels are their own affair.
if (process.env.BELLWETHER_LAUNCHER === String(process.ppid)) {
  process.on("disconnect", () => {
    setTimeout(() => process.exit(1), patienceMilliseconds).unref();
    process.kill(process.pid, "SIGTERM");
  });
  process.channel?.unref();
}
