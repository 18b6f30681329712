// A limit on how long something may take.

/** Rejects when `work` is not done in time; what it does then goes on, and is for the caller to end. */
export async function within<Result>(limitSeconds: number, work: Promise<Result>): Promise<Result> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`not done after ${limitSeconds} s`)), limitSeconds * 1000);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
