/** The fields that a typical job page or list selects: twelve, three of them objects or lists. */
export const jobFields = `id type status version input progress { step message percentage } tags priority creditsCharged
  createdAt startedAt updatedAt`;
