/** The page of error codes as Markdown, made from the table so that it cannot lag behind. */
import { errorCodes, type ErrorCode } from './error-codes.ts'

/** Text of `docs/errors.md`. */
export function errorPage(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, entry]: [string, ErrorCode]) => `| \`${code}\` | ${entry.status} | ${entry.title} | ${entry.fix} |`,
  )
  return `# Error codes

Every error has a stable code, says what happened, to what and why, and what to do. In the OpenAI dialect the code is
\`error.code\`, in the Anthropic dialect \`error.code\` beside \`error.type\`, in MCP \`error.data.code\`. Where a turn is
known its id comes along: \`turnward turns show <turn>\` tells the rest.

| code | status | what happened | what to do |
|---|---|---|---|
${rows.join('\n')}
`
}
