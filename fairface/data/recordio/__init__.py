"""RecordIO as insightface lays it out: header, frame, index, the small files beside it."""
