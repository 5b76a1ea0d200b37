/** What a header may be called and hold (RFC 9110, section 5), for those who send, receive and configure them. */

/** A name: a token. */
export const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** A value as latin1 text: nothing that could begin another line. */
export const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Where the body ends and what becomes of the connection is decided by the connection and by nobody else. In lower case. */
export const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
