/** Where a worker thread's module is: `.ts` when Node runs the sources, `.js` after the build. Never guesses beyond these two. */

/** URL of a sibling module of the caller, with the caller's own extension: `workerFile(import.meta.url, 'sqlite-worker')`. */
export function workerFile(caller: string, name: string): URL {
  return new URL(`./${name}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller)
}
