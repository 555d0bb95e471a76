/** What a list or a page of one job shows: twelve fields, three of them objects or lists. */
export const jobFields = `id type status version input progress { step message percentage } tags priority creditsCharged
  createdAt startedAt updatedAt`;
