/** Checks the register of writers: each row follows from the one before it, is signed, and none is missing. Pure. */
import type { KeyObject } from 'node:crypto'
import type { VerifyProblem } from '../verify.ts'
import { chainNameStart, isWriterSignedBy, registerGenesis, writerHash, type Writer } from './register.ts'

export class RegisterVerifier {
  readonly #key: KeyObject | undefined
  /** Undefined after a gap. */
  #previous: string | undefined = registerGenesis
  #number = 0

  /** Without a usable key no row holds. */
  constructor(key: KeyObject | undefined) {
    this.#key = key
  }

  /** Takes the next row; says what is wrong with it and with what stands before it. */
  add(writer: Writer): VerifyProblem[] {
    const problems: VerifyProblem[] = []
    const report = (detail: string): void => {
      problems.push({ seq: 0, kind: 'writer', detail, chain: writer.chain })
    }
    if (writer.number !== this.#number + 1) {
      const [first, last] = [this.#number + 1, writer.number - 1]
      report(first >= last ? `writer ${first} is missing from the register` : `writers ${first} to ${last} are missing from the register`)
      this.#previous = undefined
    }
    if (this.#previous !== undefined && writerHash(this.#previous, writer) !== writer.hash)
      report(
        `writer ${writer.number} does not follow from the one before it: one of the two was changed, or others between them were removed`,
      )
    if (this.#key === undefined || !isWriterSignedBy(writer, this.#key)) report(`the signature of writer ${writer.number} does not hold`)
    if (writer.origin === 'started' && !writer.chain.startsWith(chainNameStart(writer)))
      report(`the chain of writer ${writer.number} is not one that this writer began`)
    this.#previous = writer.hash
    this.#number = writer.number
    return problems
  }
}
