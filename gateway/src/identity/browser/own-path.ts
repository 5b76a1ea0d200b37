/** Where a browser may be sent after it signed in: to a path of ours, so that nobody can use our pages to lead people elsewhere. Pure. */

/** Where one goes that has nowhere to go. */
export const startPage = '/sign-in'

/** The page of the console that says what to do next. */
export const consoleStart = '/console/start'

// `//host` and `/\host` are other hosts to a browser, and so are white space and control characters that it leaves out.
const ownPathText = /^\/(?![/\\])[!-[\]-~]{0,1023}$/

/** The path, or the start page for whatever is not plainly one of ours. */
export function ownPath(text: string | null | undefined): string {
  if (text === null || text === undefined || !ownPathText.test(text)) return startPage
  // As a browser reads it, and unchanged by that.
  const url = URL.parse(text, 'https://own.invalid')
  if (url === null || url.origin !== 'https://own.invalid') return startPage
  return `${url.pathname}${url.search}${url.hash}` === text ? text : startPage
}
