/**
 * A program as the words it is made of, so that two ways to write the same thing compare equal: white space, line
 * breaks, comments, semicolons, the style of quotes, trailing commas and the parentheses around the one parameter of
 * an arrow function do not count.
 */

export interface Token {
  /** Equal for two spellings of one word. */
  readonly text: string
  readonly start: number
  readonly end: number
}

const space = /(?:\s|\/\/.*|\/\*[^]*?\*\/)+/y
const quoted = /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"/y
const regularExpression = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
const template = /[`}](?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
const word = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*|\d[\w.]*|\.\d\w*/uy
// Of `>` only what cannot end a list of type arguments.
const sign = /=>|\.\.\.|\?\.(?!\d)|\?\?=?|[=!]==?|&&=?|\|\|=?|\*\*=?|\+\+|--|<<=?|[<>+\-*/%&|^]=|[^]/y
const beforeExpression = /^(?:return|typeof|case|in|of|await|void|throw|delete|else|do|new|yield|[^\p{ID_Continue}$)\]}"`]+|.*\$\{)$/u

/** The words of a program or of any piece of one. Throws an Error where a template has no end. */
export function tokensOf(source: string): readonly Token[] {
  return withParentheses(withoutOptional(readTokens(source)))
}

/** Where `piece` occurs in `tokens`, as indices of its first word. */
export function occurrences(tokens: readonly Token[], piece: readonly Token[]): readonly number[] {
  const found: number[] = []
  for (let at = 0; at + piece.length <= tokens.length; at += 1)
    if (piece.every(({ text }, index) => text === tokens[at + index]?.text)) found.push(at)
  return found
}

function readTokens(source: string): readonly Token[] {
  const tokens: Token[] = []
  const open: ('{' | '${')[] = []
  let at = 0
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  while (at < source.length) {
    const gap = read(space)
    if (gap !== undefined) {
      at += gap.length
      continue
    }
    const first = source[at]
    const isTemplate = first === '`' || (first === '}' && open.at(-1) === '${')
    if (isTemplate && read(template) === undefined) throw new Error(`a template without an end: ${source.slice(at, at + 60)}`)
    const text =
      (isTemplate ? read(template) : undefined) ??
      read(quoted) ??
      (beforeExpression.test(tokens.at(-1)?.text ?? '=') ? read(regularExpression) : undefined) ??
      read(word) ??
      read(sign) ??
      ''
    if (first === '}') open.pop()
    if (text === '{') open.push('{')
    else if (isTemplate && text.endsWith('${')) open.push('${')
    tokens.push({ text: spelling(text), start: at, end: at + text.length })
    at += text.length
  }
  return tokens
}

function spelling(text: string): string {
  return /^['"]/.test(text) ? `"${text.slice(1, -1).replaceAll(/\\(['"])/g, '$1')}"` : text
}

function withoutOptional(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter(({ text }, index) => text !== ';' && !(text === ',' && /^[)\]}]$/.test(tokens[index + 1]?.text ?? '')))
}

/** `item => …` gets the parentheses that `(item) => …` has, without a place in the source. */
function withParentheses(tokens: readonly Token[]): readonly Token[] {
  return tokens.flatMap((token, index) => {
    if (tokens[index + 1]?.text !== '=>' || !/^[\p{ID_Start}$_]/u.test(token.text)) return [token]
    const { start, end } = token
    return [{ text: '(', start, end: start }, token, { text: ')', start: end, end }]
  })
}
