/** The clients that are driven. A table: one line a client. */
import { claudeCode } from './claude-code.ts'
import type { Client } from './client.ts'
import { cline } from './cline.ts'
import { codex } from './codex.ts'
import { geminiCli } from './gemini-cli.ts'
import { opencode } from './opencode.ts'
import { qwenCode } from './qwen-code.ts'

export const clients: readonly Client[] = [claudeCode, opencode, qwenCode, cline, codex, geminiCli]
