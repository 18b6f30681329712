// Answers with Server-Sent Events for as long as somebody listens.
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

type EventContext = Pick<Context<{ Bindings: HttpBindings }>, 'header' | 'body'> & {
  readonly env: HttpBindings;
};

/** Aborted when whoever asked has gone, however that came about. */
export function goneSignal({ outgoing, incoming }: HttpBindings): AbortSignal {
  const gone = new AbortController();
  // Whoever went while their right was looked at is not told of any more.
  if (outgoing.destroyed || incoming.socket.destroyed) gone.abort();
  else outgoing.once('close', () => gone.abort());
  return gone.signal;
}

/**
 * The stream ends when `write` does; it must do so soon after `gone`. HEAD is answered without it.
 * @param hold is called when the stream begins; what it returns, at any end of it
 */
export function answerEvents(
  context: EventContext,
  write: (stream: SSEStreamingApi, gone: AbortSignal) => Promise<void>,
  hold: () => () => void = () => () => undefined,
): Response {
  context.header('X-Accel-Buffering', 'no');
  // hono runs the handler of GET for HEAD, drops the body and never says that it ended.
  if (context.env.incoming.method === 'HEAD') {
    context.header('Content-Type', 'text/event-stream');
    context.header('Cache-Control', 'no-cache');
    return context.body(null);
  }
  const gone = goneSignal(context.env);
  const letGo = hold();
  return streamSSE(context as Context, async (stream) => {
    const ended = new AbortController();
    stream.onAbort(() => ended.abort());
    // A write that waits for a reader who has gone comes back.
    gone.addEventListener('abort', () => stream.abort(), { once: true });
    if (gone.aborted) stream.abort();
    try {
      await write(stream, ended.signal);
    } finally {
      letGo();
    }
  });
}
