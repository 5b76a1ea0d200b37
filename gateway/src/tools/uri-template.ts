/**
 * Whether a URI is one of a template (RFC 6570). Servers fill templates in, we only ask whose a URI is, so an expression stands
 * for any text that it could become; which value it stands for nobody here needs to know. Linear in the length of both.
 */
import { RE2JS } from 're2js'

const longestTemplate = 2048
const expression = /\{([+#./;?&]?)([A-Za-z0-9_.,*:%]{1,256})\}/g

/** Tells whether URIs are of the template; undefined when it is none. */
export function compileTemplate(template: string): ((uri: string) => boolean) | undefined {
  if (template.length > longestTemplate) return undefined
  const rest = template.replace(expression, '')
  if (rest.includes('{') || rest.includes('}')) return undefined
  let pattern = ''
  let at = 0
  for (const { 0: whole, 1: operator = '', index } of template.matchAll(expression)) {
    pattern += RE2JS.quote(template.slice(at, index)) + valueOf(operator)
    at = index + whole.length
  }
  const compiled = RE2JS.compile(`^${pattern}${RE2JS.quote(template.slice(at))}$`)
  return (uri) => compiled.matches(uri)
}

/** What an expression may become. */
function valueOf(operator: string): string {
  switch (operator) {
    // Reserved characters stand as they are.
    case '+':
    case '#':
      return '.*'
    case '/':
    case '.':
    case ';':
    case '?':
    case '&':
      return '[^\\s]*'
    default:
      return '[^/?#\\s]*'
  }
}
