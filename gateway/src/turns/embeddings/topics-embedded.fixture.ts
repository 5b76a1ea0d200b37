/** A vendor of embeddings that knows three topics and nothing else of a text. Not part of the product. */
import type { VendorReply, VendorRequest } from '../../../../conformance/harness/vendor.ts'

export const isEmbeddings = ({ path }: VendorRequest): boolean => path.endsWith('/embeddings')

/** One dimension a topic. */
export const embedTopics = ({ body }: VendorRequest): VendorReply => ({
  headers: { 'content-type': 'application/json' },
  parts: [
    JSON.stringify({
      data: (body['input'] as unknown as string[]).map((text, index) => ({
        index,
        embedding: ['parcel', 'refund', 'weather'].map((word) => (text.toLowerCase().includes(word) ? 1 : 0.01)),
      })),
      usage: { prompt_tokens: 3, total_tokens: 3 },
    }),
  ],
})
